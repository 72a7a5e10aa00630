"""The first hour of a new user, as the README tells it, against the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from product import Product, story


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    clock, sandbox = story()
    with sandbox:
        yield Product(tmp_path / "example", sandbox, clock)


def test_init_edit_check_sync_approve_sync(product: Product, tmp_path: Path) -> None:
    product.root = tmp_path / "strategy"
    assert product.run("init").exit == 0
    fresh = product.run("status")
    assert len(fresh.out.splitlines()) == 5
    assert "github 0 items (never read; run `okrsync pull`)" in fresh.out
    assert "`okrsync sync` makes the first run" in fresh.out
    sandbox = product.sandbox
    jira, github = product.root / "connectors/jira.yaml", product.root / "connectors/github.yaml"
    jira.write_text(f"type: jira\nurl: {sandbox.jira_url}\nemail: {sandbox.email}\nprojects: [PAY]\n")
    github.write_text(f"type: github\nurl: {sandbox.github_url}\nrepos: [acme/web]\n")

    online = product.run("check", "--online")
    assert online.exit == 0, online
    assert "PAY: reads, writes" in online.out
    assert "acme/web: reads, writes" in online.out
    checked = product.run("check", "--online", "--format", "json").json
    assert set(checked["connectors"]) == {"jira", "github"}

    assert product.run("pull").exit == 0
    proposed = product.run("bootstrap")
    assert proposed.exit == 0
    (product.root / "mappings/90-proposed.yaml").write_text(proposed.out)
    assert product.run("check").exit == 0

    dry = product.run("sync")
    assert dry.exit == 0
    assert "nothing written: `writeback.enabled` is false" in dry.out
    assert product.run("apply").exit == 2

    settings = product.root / "config/okrsync.yaml"
    settings.write_text(settings.read_text().replace("  enabled: false", "  enabled: true"))
    refused = product.run("sync")
    assert refused.exit == 3
    plan = product.run("plan", "--format", "json").json
    assert plan["gate"]["refused"]
    assert not sandbox.writes

    status = product.run("status")
    assert len(status.out.splitlines()) == 5
    assert f"then `okrsync approve {plan['checksum']}`" in status.out

    assert product.run("plan", "--detailed-exitcode").exit == 5
    approved = product.run("approve", plan["checksum"], "--format", "json").json
    assert "refused" not in product.run("status").out
    assert approved == {"checksum": plan["checksum"], "approved": len(plan["changes"])}
    assert product.run("sync").exit == 0
    assert product.run("plan", "--detailed-exitcode").exit == 0
    status = product.run("status")
    assert len(status.out.splitlines()) == 5
    assert "waiting: 0 approved changes" in status.out


def test_json_is_parseable_on_stdout_even_when_verbose(product: Product) -> None:
    for verb in ("pull", "sync", "findings", "plan", "status", "report", "apply", "check --online", "undo --dry-run"):
        ran = product.run(*verb.split(), "-v", "--format", "json")
        assert isinstance(ran.json, dict), verb
    assert product.sandbox.token not in ran.out + ran.err
    assert product.run("findings", "--fail-on", "error").exit == 5
    assert product.run("findings").exit == 0


def test_a_wrong_secret_is_told_and_stops_only_its_connector(product: Product) -> None:
    product.env["OKRSYNC_JIRA_TOKEN"] = "hunter2hunter2"
    online = product.run("check", "--online")
    assert online.exit == 1
    assert "check the email and the secret in OKRSYNC_JIRA_TOKEN" in online.out
    assert re.search(r"^github: .*signed in as", online.out, re.MULTILINE)
    assert product.run("check", "--online", "--format", "json").json["ok"] is False
    synced = product.run("sync")
    assert synced.exit == 3
    assert "jira: 0 items  NOT READ" in synced.out
    assert "hunter2" not in online.out + online.err + synced.out + synced.err
    product.env["OKRSYNC_GITHUB_TOKEN"] = "hunter2hunter2"
    assert product.run("sync").exit == 1


def test_one_item_is_not_several(product: Product, tmp_path: Path) -> None:
    product.root = tmp_path / "small"
    (product.root / "connectors").mkdir(parents=True)
    address = f"url: {product.sandbox.jira_url}\nemail: {product.sandbox.email}\n"
    (product.root / "connectors/jira.yaml").write_text(f"type: jira\n{address}projects: [PAY]\njql: key = PAY-1\n")
    assert "about 1 item in" in product.run("check", "--online").out
    assert "jira: 1 item\n" in product.run("pull").out
    assert "sources: jira 1 item\n" in product.run("status").out
