"""Servers that misbehave in the second run: nothing becomes unlinked on that account."""

from __future__ import annotations

import pytest

from okrsync.sandbox import Fault
from product import Product

# a whole cycle for each case, a minute all together
pytestmark = pytest.mark.soak

CANARY = "canary-7f3a9c-token"

JIRA_TROUBLES = {
    "500": Fault(kind="status", status=500, source="jira"),
    "401": Fault(kind="status", status=401, source="jira"),
    "410": Fault(kind="status", status=410, source="jira"),
    "html": Fault(kind="html", source="jira"),
    "empty searches": Fault(kind="empty", source="jira", path="/search/jql"),
    "no project to be seen": Fault(kind="empty", source="jira", path="/(project/search|search/jql)"),
    "everything empty": Fault(kind="empty", source="jira"),
    "reset": Fault(kind="reset", source="jira"),
}


@pytest.mark.parametrize("trouble", JIRA_TROUBLES)
def test_jira_misbehaving_makes_nothing_unlinked(product: Product, trouble: str) -> None:
    product.first_cycle()
    before = product.alignments()
    world = product.sandbox.world
    someone = next(p.login for p in world.people.values() if not p.bot and p.login != world.bot)
    # meanwhile a GitHub issue of its own is linked by hand
    alone = next(
        i
        for i, a in before.items()
        if a == "unlinked" and i.startswith("github:") and "okr/unlinked" in world.find(i).labels
    )
    world.add_label(alone, "objective:O1", someone)
    fault = JIRA_TROUBLES[trouble]
    product.sandbox.faults.add(Fault(**{f: getattr(fault, f) for f in fault.__struct_fields__}))
    sent = len(product.sandbox.writes)

    ran = product.sync()

    assert ran.exit == 3, (ran.out, ran.err)
    jira = next(s for s in ran.json["run"]["sources"] if s["name"] == "jira")
    assert not jira["complete"]
    assert jira["error"]
    assert "Traceback" not in ran.err
    after = product.alignments()
    for id_, alignment in after.items():
        if id_.startswith("jira:"):
            assert alignment == "unknown", id_
        elif alignment == "unlinked":
            assert before[id_] == "unlinked", f"{id_} became unlinked on Jira's account"
    assert after[alone] == "linked"
    assert "okr/O1" in world.find(alone).labels, "GitHub-only items are still right"
    written = product.sandbox.writes[sent:]
    assert all("/rest/api/" not in w.path for w in written), "nothing is written to Jira"

    product.sandbox.faults.clear()
    healed = product.sync("--accept-shrink")
    assert healed.exit == 0, (healed.out, healed.err)
    again = product.alignments()
    assert {i: a for i, a in again.items() if i != alone} == {i: a for i, a in before.items() if i != alone}


def test_nothing_could_be_read(product: Product) -> None:
    product.first_cycle()
    product.sandbox.faults.add(Fault(kind="status", status=503))
    sent = len(product.sandbox.writes)
    ran = product.sync()
    assert ran.exit == 1, (ran.out, ran.err)
    assert len(product.sandbox.writes) == sent


def test_a_first_run_with_a_wrong_token_names_the_variable(product: Product) -> None:
    product.env["OKRSYNC_JIRA_TOKEN"] = "wrong-token-value"
    ran = product.sync()
    assert ran.exit == 3
    assert "OKRSYNC_JIRA_TOKEN" in ran.out + ran.err
    assert "wrong-token-value" not in ran.out + ran.err


@pytest.mark.parametrize("kind", ["status", "html", "reset", "invalid_json", "secondary_limit"])
def test_a_canary_token_never_appears(product: Product, kind: str) -> None:
    world = product.sandbox.world
    world.token = CANARY
    product.env |= {"OKRSYNC_JIRA_TOKEN": CANARY, "OKRSYNC_GITHUB_TOKEN": CANARY}
    ran = [product.first_cycle(), product.run("check", "--online", "-v"), product.run("pull", "-v", "--full")]
    # a server that repeats what it was sent, in the error body
    echo = f'{{"message": "bad credentials {CANARY}", "errorMessages": ["bad {CANARY}"]}}'
    product.sandbox.faults.add(
        Fault(kind=kind, status=500, body=echo, times=4) if kind == "status" else Fault(kind=kind, times=4)
    )
    product.sandbox.faults.add(Fault(kind="status", status=400, body=echo, after=6, times=2))
    ran += [
        product.sync("-v"),
        product.run("check", "--online", "-v"),
        product.run("status"),
        product.run("plan", "-v"),
    ]
    for result in ran:
        assert CANARY not in result.out
        assert CANARY not in result.err
    import base64

    email = world.email
    basic = base64.b64encode(f"{email}:{CANARY}".encode()).decode()
    for path in product.root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert CANARY.encode() not in content, path
            assert basic.encode() not in content, path


@pytest.mark.parametrize("source", ["jira", "github"])
def test_an_answer_lost_after_the_server_processed_it(product: Product, source: str) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    refused = product.sync()
    path = "/comment" if source == "jira" else r"/comments"
    product.sandbox.faults.add(Fault(kind="drop_after", source=source, method="POST", path=path, times=2))
    method = "PUT" if source == "jira" else "POST"
    product.sandbox.faults.add(Fault(kind="drop_after", source=source, method=method, path=r"/(issue|labels)", times=3))
    product.sync("--approve", refused.json["plan"]["checksum"])
    product.sandbox.faults.clear()
    for _ in range(2):
        last = product.sync()
    assert last.exit == 0, last
    assert last.json["plan"]["counts"]["items"] == 0
    bot = product.sandbox.world.bot
    commented = 0
    for id_, item in product.sandbox.world.snapshot()["items"].items():
        ours = [c for c in item["comments"] if c["author"] == bot]
        assert len(ours) <= 1, id_
        commented += len(ours)
    assert commented
