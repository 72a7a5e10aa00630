"""`/okr` commands in comments on both trackers, end to end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from product import Product

# a whole cycle for each case, a minute all together
pytestmark = pytest.mark.soak

TICKET, ISSUE = "jira:PAY-30", "github:acme/web#7"
BOTH = pytest.mark.parametrize("id_", [TICKET, ISSUE])


def set_commands(file: Path, value: str) -> None:
    text, count = re.subn(r"^commands:.*$", f"commands: {value}", file.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1
    file.write_text(text, "utf-8")


@pytest.fixture
def settled(product: Product) -> Product:
    """After the first cycle, where nothing but commands makes us comment."""
    product.env["OKRSYNC_WRITEBACK__COMMENTS__RULES"] = "[]"
    product.first_cycle()
    product.sync()
    return product


def bodies(product: Product, id_: str) -> list[str]:
    """Our comments, as people see them: zero-width characters and escapes left out."""
    world = product.sandbox.world
    plain = str.maketrans("", "", "\u200b\u2060\\")
    texts = [c.body for c in world.find(id_).comments if c.author == world.bot]
    return [text.replace("&#8203;", "").translate(plain) for text in texts]


def after(product: Product, id_: str) -> Any:
    """What one run makes of an item; a second one finds nothing left to write."""
    ran = product.sync()
    assert ran.exit == 0, ran
    sent = len(product.sandbox.writes)
    again = product.sync()
    assert again.exit == 0, again
    assert len(product.sandbox.writes) == sent, "nothing was left to write"
    assert len(bodies(product, id_)) <= 1
    return product.explain(id_)


def say(product: Product, id_: str, text: str, by: str = "lin", **more: Any) -> int:
    product.clock.advance(minutes=1)
    return product.sandbox.world.comment(id_, text, by, **more)


def labels(product: Product, id_: str) -> set[str]:
    return {x for x in product.sandbox.world.find(id_).labels if x.startswith("okr/")}


@BOTH
def test_a_link_counts_from_the_next_run_on_and_is_acknowledged_in_the_one_comment(product: Product, id_: str) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    product.first_cycle()
    (asking,) = bodies(product, id_)
    assert "/okr link ID" in asking
    say(product, id_, "Clear enough.\n\n/okr link INIT-CHECKOUT")
    found = after(product, id_)
    assert found["alignment"] == "linked"
    assert next((hop["via"], hop["to"]) for hop in found["path"]) == ("command", "INIT-CHECKOUT")
    assert labels(product, id_) == {"okr/O1"}
    (thanks,) = bodies(product, id_)
    assert "Resolved" in thanks
    assert "accepted, linked to" in thanks

    say(product, id_, "/okr unlink", "noor")
    assert after(product, id_)["alignment"] == "unlinked"
    assert labels(product, id_) == {"okr/unlinked"}
    (gone,) = bodies(product, id_)
    assert "replaced or withdrawn since" in gone


@BOTH
def test_without_a_comment_of_ours_an_accepted_command_creates_none(settled: Product, id_: str) -> None:
    say(settled, id_, "/okr link O1.KR1")
    assert after(settled, id_)["alignment"] == "linked"
    assert bodies(settled, id_) == []


@BOTH
def test_an_exemption_holds_until_its_day_and_is_told_then(settled: Product, id_: str) -> None:
    say(settled, id_, "/okr exempt tech-debt until 2026-11-18")
    found = after(settled, id_)
    assert (found["alignment"], found["exempt_class"]) == ("exempt", "tech-debt")
    settled.clock.advance(days=3)
    found = after(settled, id_)
    assert found["alignment"] == "unlinked"
    told = settled.run("findings", "--format", "json").json["findings"]
    assert [f["code"] for f in told if f["subject"]["id"] == id_] == ["OKR105"]
    say(settled, id_, "/okr remove-exempt\n\n/okr exempt tech-debt until 2026-12-24")
    assert after(settled, id_)["alignment"] == "exempt"


@BOTH
def test_an_edited_and_a_deleted_command_are_withdrawn(settled: Product, id_: str) -> None:
    world = settled.sandbox.world
    comment = say(settled, id_, "/okr link INIT-CHECKOUT")
    assert after(settled, id_)["alignment"] == "linked"
    world.edit_comment(id_, comment, "Never mind.", "lin")
    assert after(settled, id_)["alignment"] == "unlinked"
    world.edit_comment(id_, comment, "/okr exempt discovery", "lin")
    assert after(settled, id_)["exempt_class"] == "discovery"
    world.delete_comment(id_, comment, "lin")
    assert after(settled, id_)["alignment"] == "unlinked"


@BOTH
def test_a_deletion_that_does_not_move_the_item_is_seen_within_a_day(settled: Product, id_: str) -> None:
    say(settled, id_, "/okr link INIT-CHECKOUT")
    assert after(settled, id_)["alignment"] == "linked"
    found = settled.sandbox.world.find(id_)
    settled.clock.advance(hours=2)
    settled.sandbox.world.edit_title("jira:PAY-2", "Newer", "lin")
    settled.sandbox.world.edit_title("github:acme/web#24", "Newer", "lin")
    settled.sync()
    found.comments.clear()
    settled.clock.advance(days=1)
    assert after(settled, id_)["alignment"] == "unlinked"


@BOTH
@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("link INIT-CHEKCOUT", "no goal has the id 'INIT-CHEKCOUT'; did you mean 'INIT-CHECKOUT'?"),
        ("exempt laziness", "there is no class 'laziness'"),
        ("lnik O1", "'lnik' is no command"),
    ],
)
def test_what_is_refused_is_answered_once_in_a_comment_of_its_own(
    settled: Product, id_: str, command: str, reason: str
) -> None:
    say(settled, id_, f"/okr {command}")
    assert after(settled, id_)["alignment"] == "unlinked"
    (answer,) = bodies(settled, id_)
    assert reason in answer.replace("&#39;", "'")


@BOTH
def test_why_is_answered_in_words(settled: Product, id_: str) -> None:
    say(settled, id_, "/okr why")
    assert after(settled, id_)["alignment"] == "unlinked"
    (answer,) = bodies(settled, id_)
    assert "names a goal" in answer
    say(settled, id_, "/okr link INIT-CHECKOUT", "noor")
    assert after(settled, id_)["alignment"] == "linked"
    (answer,) = bodies(settled, id_)
    assert "was tied to" in answer
    assert "by a command in a comment" in answer


@BOTH
def test_hostile_text_stays_text(settled: Product, id_: str) -> None:
    say(settled, id_, "/okr link <script>alert(1)</script>\n\n/okr link @everyone\n\n/okr @everyone #1 PAY-1 {code}")
    assert after(settled, id_)["alignment"] == "unlinked"
    world = settled.sandbox.world
    (raw,) = [c for c in world.find(id_).comments if c.author == world.bot]
    if id_ == ISSUE:
        outside = "".join(raw.body.split("`")[::2])
        assert "<script" not in outside
        assert "@everyone" not in outside
        assert " #1" not in outside
    else:
        assert raw.adf is not None
        kinds: set[str] = set()
        nodes: list[Any] = [raw.adf]
        while nodes:
            node = nodes.pop()
            kinds.add(node["type"])
            nodes += node.get("content", [])
        assert kinds <= {"doc", "paragraph", "text", "bulletList", "listItem"}


def test_an_outsider_has_no_say_and_gets_no_answer(settled: Product) -> None:
    before = labels(settled, ISSUE)
    say(settled, ISSUE, "/okr link INIT-CHECKOUT", "outsider")
    say(settled, ISSUE, "/okr lnik INIT-CHECKOUT", "outsider")
    found = after(settled, ISSUE)
    assert found["alignment"] == "unlinked"
    assert [c["refused"] for c in found["commands"]] == ["only people who may write here can give commands"] * 2
    assert labels(settled, ISSUE) == before
    assert bodies(settled, ISSUE) == []
    world = settled.sandbox.world
    world.people["outsider"].member = False
    world.github.repo("acme/web").permissions["outsider"] = "write"  # a team's right, of which no association tells
    say(settled, ISSUE, "Now I may.", "outsider")
    assert after(settled, ISSUE)["alignment"] == "linked"


def test_on_a_service_desk_only_internal_comments_count(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__RULES"] = "[]"
    product.sandbox.world.jira.projects["PAY"].type_key = "service_desk"
    product.first_cycle()
    say(product, TICKET, "/okr link INIT-CHECKOUT")
    found = after(product, TICKET)
    assert found["alignment"] == "unlinked"
    assert "only internal comments" in found["commands"][0]["refused"]
    assert bodies(product, TICKET) == [], "the customer reads no answer"
    say(product, TICKET, "/okr link INIT-CHECKOUT\n/okr why", internal=True)
    assert after(product, TICKET)["alignment"] == "linked"
    world = product.sandbox.world
    assert [c.internal for c in world.find(TICKET).comments if c.author == world.bot] == [True]


@pytest.mark.parametrize("who", ["{groups: [Planners]}", "{roles: [planner]}"])
def test_in_jira_groups_and_roles_decide_where_they_are_named(product: Product, who: str) -> None:
    jira = product.sandbox.world.jira
    jira.groups["planners"] = ["noor"]
    jira.roles["Planner"] = ["@planners"]
    file = product.root / "connectors" / "jira.yaml"
    set_commands(file, who)
    product.first_cycle()
    say(product, TICKET, "/okr link INIT-CHECKOUT", "lin")
    found = after(product, TICKET)
    assert found["alignment"] == "unlinked"
    assert "can give commands here" in found["commands"][0]["refused"]
    say(product, TICKET, "/okr link INIT-WALLETS", "noor")
    assert next(hop["to"] for hop in after(product, TICKET)["path"]) == "INIT-WALLETS"
    jira.sees_groups = False
    say(product, TICKET, "And so on.", "lin")
    assert "may not see" in after(product, TICKET)["commands"][0]["refused"]


@BOTH
def test_switched_off_no_comment_is_read_and_none_is_asked_for(product: Product, id_: str) -> None:
    for name in ("jira", "github"):
        file = product.root / "connectors" / f"{name}.yaml"
        set_commands(file, "false")
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    product.first_cycle()
    say(product, id_, "/okr link INIT-CHECKOUT")
    found = after(product, id_)
    assert (found["alignment"], found["commands"]) == ("unlinked", [])
    assert "/okr" not in bodies(product, id_)[0]
