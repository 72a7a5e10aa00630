"""What strangers and mistakes put into texts, files and headers."""

from __future__ import annotations

import base64
import csv
import io
import re
from pathlib import Path

import pytest
from fault_house import House, HouseClock, covers, small_company

from okrsync.sandbox import Fault, Sandbox

# All together they take minutes; the parts they go through are tested in tests/connectors and tests/story as well.
pytestmark = pytest.mark.soak

HOSTILE = {
    "jira:PAY-1": "<script>alert(1)</script>",
    "jira:PAY-2": "=cmd|' /C calc'!A0",
    "jira:PAY-3": "@lin see #12, acme/web#1 and PAY-1",
    "jira:PAY-4": "a\x00b\x07c \u200bzero\u2060width \ud83c\udfaf",
    "jira:OPS-1": "\u202eevil\u202c שלום",
    "github:acme/web#1": "{{ 7*7 }} <img src=x onerror=alert(1)>",
    "github:acme/web#2": "@lin #12 PAY-99 [x](javascript:alert(1)) | `a` |",
    "github:acme/web#4": "+1+1\t\r\n=2",
    "github:acme/api#1": "x" * 255,
}


@covers("hostile")
def test_hostile_texts_are_stored_and_defused(tmp_path: Path, database_url: str) -> None:
    """| `<script>`, `=cmd()`, `@name`, `#12`, `PAY-1`, NUL, zero-width, RTL, 1 MB | escaped or defused in html, md, csv
    and comments; stored without error in SQLite and PostgreSQL |"""
    clock = HouseClock()
    with Sandbox(small_company(clock), clock=clock) as sandbox:
        house = House(tmp_path / "workspace", sandbox, clock, env={"OKRSYNC_STORE": database_url})
        house.env["OKRSYNC_REPORTS__FORMATS"] = '["html", "md", "csv", "json"]'
        for id_, title in HOSTILE.items():
            house.world.edit_title(id_, title.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), "lin")
            house.world.edit_body(id_, f"{title[:40]} {'long ' * 200_000}".replace("\ud83c\udfaf", ""), "lin")
        ran = house.sync()
        assert ran.exit == 0, (ran.out, ran.err)
        house.right()
        html, markdown, table = (
            (house.root / "reports" / f"okrsync.{kind}").read_text(encoding="utf-8") for kind in ("html", "md", "csv")
        )
        assert "<script>alert" not in html
        assert "<img" not in html
        assert not {"\x00", "\x07", "\u202e"} & set(html + markdown + table)
        for row in csv.DictReader(io.StringIO(table)):
            assert row["title"].lstrip("\u200b \t")[:1] not in {"=", "+", "-", "@"}
        assert not re.search(r"(?<![\\`\w])@lin", markdown)
        for id_ in house.expected:
            for comment in house.comments(id_):
                assert not re.search(r"(?<![\\`\w&;])@lin", comment.body), id_
                assert "javascript:" not in comment.body
                assert not re.search(r"(?<![\\&\w`/])#12\b", comment.body), id_


# --- secrets


@covers("secrets")
@pytest.mark.parametrize("status", [400, 401, 403, 500])
def test_a_secret_that_a_server_echoes_is_nowhere(house: House, status: int) -> None:
    """| secrets | never in logs, errors, reports, database |"""
    canary = "canary-7f3a9c-token"
    house.world.token = canary
    house.env |= {"OKRSYNC_JIRA_TOKEN": canary, "OKRSYNC_GITHUB_TOKEN": canary}
    basic = base64.b64encode(f"{house.world.email}:{canary}".encode()).decode()
    house.settle()
    on_github = f'{{"message": "bad header Bearer {canary}"}}'
    on_jira = f'{{"errorMessages": ["bad header Basic {basic}", "bad token {canary}"], "errors": {{}}}}'
    house.strike(
        Fault(kind="status", status=status, body=on_github, source="github"),
        Fault(kind="status", status=status, body=on_jira, source="jira"),
    )
    ran = [house.sync("-v"), house.run("check", "--online", "-v"), house.run("status"), house.run("pull", "-v")]
    for result in ran:
        assert canary not in result.out + result.err
        assert basic not in result.out + result.err
        assert "Traceback" not in result.err
    for path in house.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert canary.encode() not in content, path
            assert basic.encode() not in content, path


# --- other hosts


@covers("elsewhere")
@pytest.mark.parametrize(("source", "status"), [("jira", 301), ("jira", 307), ("github", 302), ("github", 308)])
def test_a_redirect_to_another_host_is_not_followed(house: House, source: str, status: int) -> None:
    """| redirect to another host | the other host hears nothing; suspended and said |"""
    with Sandbox(small_company(HouseClock())) as elsewhere:
        url = (elsewhere.jira_url if source == "jira" else elsewhere.github_url).replace("127.0.0.1", "localhost")
        headers = {"Location": f"{url}/rest/api/3/myself"}
        house.suspended(
            source,
            Fault(kind="status", status=status, headers=headers, source=source),
            says="credentials are never sent",
        )
        assert elsewhere.requests == []


@covers("elsewhere")
def test_a_link_to_another_host_is_not_followed(house: House) -> None:
    """| a URL in data | the same for a page link |"""
    with Sandbox(small_company(HouseClock())) as elsewhere:
        url = elsewhere.github_url.replace("127.0.0.1", "localhost")
        headers = {"Link": f'<{url}/repos/acme/web/issues?page=2>; rel="next"'}
        house.suspended(
            "github",
            Fault(kind="status", status=200, body="[]", headers=headers, source="github", path="/issues"),
            says="credentials are never sent",
        )
        assert elsewhere.requests == []


# --- the workspace

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)
FILES = {
    "a YAML bomb": BOMB.encode(),
    "a duplicate key": b"rules: []\nrules: []\n",
    "10 MB": b"rules: [] # " + b"x" * 10_000_000,
    "a binary file": bytes(range(256)) * 8,
    "an unknown tag": b"rules: !!python/object/apply:os.system [exit]\n",
}


@covers("workspace")
@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("verb", ["check", "sync"])
def test_a_file_that_is_no_workspace_file_is_refused(house: House, what: str, verb: str) -> None:
    """| YAML bombs, duplicate keys, 10 MB files, binary files | exit 2 with file and line; nothing is sent |"""
    (house.root / "mappings" / "10-bad.yaml").write_bytes(FILES[what])
    ran = house.run(verb)
    assert ran.exit == 2, (ran.out, ran.err)
    assert re.search(r"mappings/10-bad\.yaml:\d+: ", ran.err)
    assert "Traceback" not in ran.err
    assert house.sandbox.requests == []
