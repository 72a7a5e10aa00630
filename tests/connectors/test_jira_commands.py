"""`/okr` commands in Jira's comments: read with the issue, from whoever may give them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from jira_world import SECRET, Held, JiraHouse, house

from okrsync.connectors.jira import JiraTracker
from okrsync.domain.comments import Comment, bullet, code, paragraph
from okrsync.domain.settings import JiraSettings
from okrsync.domain.work import Command, WorkItem

LINK = "/okr link INIT-1"


@pytest.fixture(params=["cloud", "data center"])
def jira(request: pytest.FixtureRequest) -> Iterator[JiraHouse]:
    with house(cloud=request.param == "cloud") as it:
        it.world.add_person("ada", "Ada Park")
        it.world.add_person("lin", "Lin Wu")
        it.jira.add_issue("PAY", "one")
        yield it


def item(held: Held) -> WorkItem:
    (found,) = (i for items in held.items.values() for i in items.values() if i.id == "jira:PAY-1")
    return found


def commands(jira: JiraHouse, **settings: object) -> tuple[Command, ...]:
    return item(Held().take(jira.tracker(**settings).pull({}))).commands


def unchecked(jira: JiraHouse, **settings: object) -> JiraTracker:
    """The published contract that the others are checked against leaves out groups and roles."""
    email = jira.world.email if jira.jira.cloud else None
    given = {"url": jira.sandbox.jira_url, "email": email, "projects": ("PAY",), **settings}
    return JiraTracker(
        JiraSettings(name="jira", type="jira", **given),
        SECRET,
        clock=jira.clock,
        sleep=jira.sleep,
        deadline=lambda: jira.clock() + timedelta(minutes=5),
        client=httpx.Client(),
    )


def test_commands_come_with_the_issue_and_cost_no_request(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    Held().take(tracker.pull({}))
    asked = len(jira.wire.requests)
    jira.world.comment("jira:PAY-1", "No command.", "ada")
    jira.clock.advance(timedelta(minutes=1))
    comment = jira.world.comment("jira:PAY-1", f"See above.\n\n{LINK}", "lin")
    tracker = jira.tracker()
    held = Held().take(tracker.pull({}))
    assert len(jira.wire.requests) == asked
    (command,) = item(held).commands
    assert (command.author, command.entitled, command.at) == ("Lin Wu", True, jira.clock())
    assert command.comment == str(comment)
    assert command.text.endswith(LINK)
    assert tracker.fetch(["jira:PAY-1"]).items["jira:PAY-1"].commands == (command,)
    assert tracker.look(item(held), comments=False).item.commands == (command,)

    jira.clock.advance(timedelta(hours=1))
    jira.world.delete_comment("jira:PAY-1", comment, "lin")
    assert item(held.take(tracker.pull(held.states))).commands == ()


def test_where_the_server_shows_only_some_comments_the_others_are_read(jira: JiraHouse) -> None:
    jira.world.comment("jira:PAY-1", LINK, "lin")
    for n in range(150):
        jira.world.comment("jira:PAY-1", f"Comment {n}.", "ada")

    def shortened(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        body = json.loads(response.content) if response.status_code == 200 and response.content else {}
        for issue in body.get("issues", []) if isinstance(body, dict) else []:
            shown = issue.get("fields", {}).get("comment")
            if shown:
                shown["comments"], shown["maxResults"] = shown["comments"][-20:], 20
        return httpx.Response(response.status_code, json=body) if "issues" in body else response

    jira.after = shortened
    assert [c.text for c in commands(jira)] == [LINK]


def test_what_okrsync_wrote_is_no_command(jira: JiraHouse) -> None:
    tracker = jira.tracker()
    found = item(Held().take(tracker.pull({})))
    tracker.create_comment(found, Comment((paragraph("Say ", code("/okr why")), bullet(code("/okr link INIT-1")))))
    assert commands(jira) == ()


def test_on_a_service_desk_only_what_is_internal_counts(jira: JiraHouse) -> None:
    jira.jira.projects["PAY"].type_key = "service_desk"
    jira.world.comment("jira:PAY-1", LINK, "lin")
    jira.world.comment("jira:PAY-1", LINK, "lin", internal=True)
    said = commands(jira)
    assert [c.entitled for c in said] == [False, True]
    assert "only internal comments" in said[0].why_not

    def untold(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        content = response.content.replace(b'"jsdPublic"', b'"other"')
        return httpx.Response(response.status_code, content=content, headers={"content-type": "application/json"})

    jira.after = untold  # as Data Center, where only a property tells
    assert [c.entitled for c in commands(jira)] == [False, False]
    jira.jira.find("PAY-1").comments[0].properties["sd.public.comment"] = {"internal": True}  # type: ignore[union-attr]
    assert [c.entitled for c in commands(jira)] == [True, False]


@pytest.mark.parametrize(
    ("who", "entitled"),
    [
        ({"groups": ["planners"]}, True),
        ({"groups": ["PLANNERS", "others"]}, True),
        ({"groups": ["others"]}, False),
        ({"roles": ["planner"]}, True),
        ({"roles": ["Lead"]}, True),
        ({"roles": ["Owner"]}, False),
        ({"groups": ["others"], "roles": ["Owner", "lead"]}, True),
    ],
)
def test_groups_and_roles_decide_where_they_are_named(
    jira: JiraHouse, who: dict[str, list[str]], entitled: bool
) -> None:
    jira.jira.groups |= {"planners": ["lin"], "others": ["ada"]}
    jira.jira.roles |= {"Planner": ["@planners"], "Lead": ["lin"], "Owner": ["ada", "@others"]}
    jira.world.comment("jira:PAY-1", LINK, "lin")
    (command,) = item(Held().take(unchecked(jira, commands=who).pull({}))).commands
    assert command.entitled is entitled
    assert bool(command.why_not) is not entitled


def test_where_groups_may_not_be_seen_nobody_is_entitled_by_them(jira: JiraHouse) -> None:
    jira.jira.groups["planners"] = ["lin"]
    jira.jira.sees_groups = False
    jira.world.comment("jira:PAY-1", LINK, "lin")
    held = Held().take(unchecked(jira, commands={"groups": ["planners"]}).pull({}))
    (command,) = item(held).commands
    assert not command.entitled
    assert "may not see" in command.why_not
    held = Held().take(unchecked(jira, commands={"roles": ["no such role"]}).pull({}))
    assert "may not see" in item(held).commands[0].why_not


def test_switched_off_no_comment_is_asked_for(jira: JiraHouse) -> None:
    jira.world.comment("jira:PAY-1", LINK, "lin")
    assert commands(jira, commands=False) == ()
    assert all(b'"comment"' not in r.content for r in jira.wire.requests)
