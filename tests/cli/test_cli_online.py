"""`okrsync check --online`: who we are, what is missing by its official name, the rate budget, what a first pull brings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from okrsync.sandbox import STORY_NOW, Fault, Sandbox, World
from okrsync.sandbox.github_installation import install_app
from product import Product, Ran, StoryClock

TOKENS = "(the token's settings, Repository permissions)"


def world(clock: StoryClock, *, cloud: bool = True) -> World:
    """250 open and 60 lately closed tickets and issues; 30 closed two years ago."""
    made = World(clock, cloud=cloud)
    made.add_person("lin", "Lin Wu")
    made.jira.add_project("PAY", "Payments")
    repo = made.github.add_repo("acme/web")
    for n in range(340):
        created = STORY_NOW - timedelta(days=800 if n < 30 else 40)
        done = {"status": "Done"} if n < 90 else {}
        made.jira.add_issue("PAY", f"ticket {n}", created=created, updated=created, **done)
        state = "closed" if n < 90 else "open"
        made.github.add_item(repo, f"issue {n}", author="lin", created=created, updated=created, state=state)
    return made


def connect(place: Product, source: str, more: str) -> None:
    url = place.sandbox.jira_url if source == "jira" else place.sandbox.github_url
    (place.root / "connectors" / f"{source}.yaml").write_text(f"type: {source}\nurl: {url}\n{more}", "utf-8")


def placed(folder: Path, *, cloud: bool = True) -> Iterator[Product]:
    clock = StoryClock()
    with Sandbox(world(clock, cloud=cloud), clock=clock) as sandbox:
        place = Product(folder, sandbox, clock)
        account = f"email: {sandbox.email}\n" if cloud else ""
        connect(place, "jira", f"{account}projects: [PAY]\nfields: {{estimate: Story Points}}\n")
        connect(place, "github", "repos: [acme/web]\n")
        yield place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Product]:
    yield from placed(tmp_path / "ws")


def online(place: Product) -> tuple[Ran, dict]:
    ran = place.run("check", "--online", "--format", "json")
    assert "Traceback" not in ran.err
    return ran, ran.json["connectors"]


def test_all_is_told_for_people(place: Product) -> None:
    ran = place.run("check", "--online")
    assert ran.exit == 0, (ran.out, ran.err)
    for line in (
        "github: " + place.sandbox.github_url + ", signed in as okrsync-bot",
        "  acme/web: reads, writes",
        "  rate budget: 4,999 of 5,000 REST requests are left; all of them again at 2026-11-16T10:00:00Z",
        "  rate budget: 4,999 of 5,000 GraphQL points are left; all of them again at 2026-11-16T10:00:00Z",
        "  first pull: about 310 items in 8 requests, which takes about 1 second",
        "  PAY: reads, writes",
        "  field estimate: customfield_10016",
        "  first pull: about 310 items in 5 requests, which takes about 1 second",
    ):
        assert line in ran.out.splitlines(), ran.out
    assert place.sandbox.world.snapshot()["items"]["github:acme/web#1"]["labels"] == []
    assert "" not in place.sandbox.world.github.repo("acme/web").labels  # type: ignore[union-attr]


def test_what_a_first_pull_then_brings_is_what_was_told(place: Product) -> None:
    _, told = online(place)
    place.sandbox.forget()
    assert place.run("pull").exit == 0
    for source in ("jira", "github"):
        asked = sum(r.source == source for r in place.sandbox.requests)
        pulled = place.run("status", "--format", "json").json
        items = {s["name"]: s["items"] for s in pulled["sources"]}
        assert items[source] == told[source]["first_pull"]["items"] == 310
        assert abs(asked - told[source]["first_pull"]["requests"]) <= 5


def test_data_center_counts_too(tmp_path: Path) -> None:
    for place in placed(tmp_path / "ws", cloud=False):
        ran, told = online(place)
        assert ran.exit == 0, (ran.out, ran.err)
        assert told["jira"]["first_pull"] == {"items": 310, "requests": 5, "seconds": 1, "more": False}
        assert told["jira"]["budget"] == []


@pytest.mark.parametrize(("scopes", "public", "writes"), [
    ("repo, read:org", False, True), ("public_repo", True, True), ("public_repo", False, False), ("gist", True, False),
])  # fmt: skip
def test_scopes_of_a_classic_token(place: Product, scopes: str, public: bool, writes: bool) -> None:
    place.sandbox.world.github.scopes = scopes
    place.sandbox.world.github.repo("acme/web").private = not public  # type: ignore[union-attr]
    ran, told = online(place)
    (access,) = told["github"]["access"]
    assert (ran.exit, access["writable"]) == ((0, True) if writes else (1, False))
    assert any("the scope `repo`" in m for m in access["missing"]) is not writes


@pytest.mark.parametrize(
    ("granted", "readable", "missing"),
    [
        ({"metadata": "read", "issues": "write", "pull_requests": "write"}, True, []),
        (
            {"metadata": "read"},
            False,
            [f"Metadata: Read {TOKENS}", f"Issues: Read {TOKENS}", f"Pull requests: Read {TOKENS}"],
        ),
    ],
)
def test_of_a_fine_grained_token_it_is_told_what_may_be_read_and_what_writing_needs(
    place: Product, granted: dict[str, str], readable: bool, missing: list[str]
) -> None:
    place.sandbox.world.github.granted = granted
    ran, told = online(place)
    (access,) = told["github"]["access"]
    assert (access["readable"], access["writable"], access["missing"]) == (readable, not missing, missing)
    assert any("writing needs Issues: Read and write" in n for n in told["github"]["notes"]) is readable
    assert ran.exit == (1 if missing else 0)
    assert not place.sandbox.writes, "a check writes nothing, and does not try to"


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        ({"metadata": "read", "issues": "write", "pull_requests": "write"}, []),
        ({"metadata": "read", "issues": "write", "pull_requests": "read"}, ["Pull requests: Read and write"]),
        ({"metadata": "read", "issues": "read"}, ["Issues: Read and write", "Pull requests: Read and write"]),
    ],
)
def test_an_app_lacks_exactly_what_its_installation_was_not_granted(
    place: Product, granted: dict[str, str], missing: list[str]
) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    app = install_app(
        place.sandbox.world, app=12345, installation=67890, slug="okrsync-acme", public_key=public.decode()
    )
    app.permissions = granted
    connect(place, "jira", f"email: {place.sandbox.email}\nprojects: [PAY]\n")  # the world's bot has another name now
    connect(place, "github", "repos: [acme/web]\napp: {id: 12345, installation: 67890}\n")
    place.env["OKRSYNC_GITHUB_PRIVATE_KEY"] = pem
    del place.env["OKRSYNC_GITHUB_TOKEN"]
    ran, told = online(place)
    assert told["github"]["identity"] == "okrsync-acme[bot]"
    where = "(the App's settings, Permissions & events, Repository permissions)"
    (access,) = told["github"]["access"]
    assert access["missing"] == [f"{m} {where}" for m in missing]
    assert access["readable"]
    assert ran.exit == (1 if missing else 0)


def test_what_jira_does_not_grant_and_what_would_be_good_to_have(place: Product) -> None:
    project = place.sandbox.world.jira.projects["PAY"]
    project.writable = project.admin = False
    place.sandbox.world.jira.bulk = False
    ran, told = online(place)
    assert ran.exit == 0, "reading is enough to go on; what is missing is said"
    (access,) = told["jira"]["access"]
    assert not access["writable"]
    assert "EDIT_ISSUES: grant it in PAY, Project settings > Permissions" in access["missing"]
    assert [n.partition(";")[0] for n in told["jira"]["notes"]] == [
        "ADMINISTER_PROJECTS in PAY is missing: grant it in Project settings > Permissions",
        "BULK_CHANGE in PAY is missing: grant it in Settings > System > Global permissions",
    ]


def test_what_jira_says_of_its_limits_is_told(place: Product) -> None:
    limits = {"X-RateLimit-Limit": "65000", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "2026-11-16T10:00Z"}
    count = Fault(kind="status", status=200, body='{"count": 4242}', headers=limits, path="approximate-count")
    place.sandbox.faults.add(count)
    _, told = online(place)
    assert told["jira"]["budget"] == [
        {"name": "requests", "limit": 65000, "remaining": 2, "resets": "2026-11-16T10:00:00Z"}
    ]
    assert told["jira"]["first_pull"]["items"] == 4242


def test_where_the_budget_is_too_small_it_is_said(place: Product) -> None:
    rate = '{"limit": 5000, "remaining": 3, "reset": 1795255200}'
    body = f'{{"resources": {{"core": {rate}, "graphql": {rate}}}, "rate": {rate}}}'
    place.sandbox.faults.add(Fault(kind="status", status=200, body=body, path="/rate_limit"))
    ran = place.run("check", "--online")
    assert "a first pull needs more REST requests than are left" in ran.out
    assert "3 of 5,000 REST requests are left" in ran.out
