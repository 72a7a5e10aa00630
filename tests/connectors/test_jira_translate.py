"""Issues of Jira Cloud, Server and the agile endpoints become work items; real payloads where they are at hand."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from okrsync.connectors.decoding import decode
from okrsync.connectors.jira.fields import CustomFields, FieldDefinition, FieldSchema, resolve
from okrsync.connectors.jira.payloads import Issue
from okrsync.connectors.jira.translate import Unreadable, moment, read, translate
from okrsync.domain.settings import JiraFields
from okrsync.domain.work import Kind, Reference, Via, WorkItem

SHARED = Path(os.environ.get("OKRSYNC_SHARED") or Path(__file__).parents[3] / "shared") / "data" / "jira"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of real payloads is not here")
CUSTOM = CustomFields(
    okr="customfield_1", team="customfield_2", estimate="customfield_10024", epic_link="customfield_10014"
)


def item(payload: dict[str, Any], custom: CustomFields = CUSTOM) -> WorkItem:
    issue = decode(json.dumps(payload).encode(), Issue)
    return translate(issue, read(issue, custom), connector="jira", site="https://acme.atlassian.net", custom=custom)


def made(**fields: Any) -> WorkItem:
    base = {"created": "2026-01-02T03:04:05.000+0000", "updated": "2026-01-03T03:04:05.000+0000"}
    return item({"id": "10001", "key": "PAY-1", "fields": {**base, **fields}})


def load(name: str) -> dict[str, WorkItem]:
    text = (SHARED / name).read_text()
    rows = [json.loads(line) for line in text.splitlines()] if name.endswith("jsonl") else json.loads(text)["issues"]
    return {i.key: i for i in map(item, rows)}


def parent(key: str, detail: str = "parent") -> Reference:
    return Reference(via=Via.PARENT, target=f"jira:{key}", structural=True, detail=detail)


@real
def test_cloud_agile_payloads() -> None:
    items = load("cloud_agile_issues.jsonl")
    assert len(items) == 33
    done_by_name_only = items["EE-1"]
    assert (done_by_name_only.state, done_by_name_only.status, done_by_name_only.closed_at) == ("open", "已完成", None)
    assert done_by_name_only.uid == "jira:10063"
    assert done_by_name_only.container == "EE"
    assert done_by_name_only.labels == ("frontEnd", "Saas")
    assert "\u200b" in done_by_name_only.title
    assert items["EE-4"].title == "\u200b问题分布的帕累托图"  # without its NUL
    assert items["EE-2"].closed_at == datetime(2020, 6, 23, 10, 20, 58, 999000, tzinfo=UTC)
    assert items["EE-2"].status_changed is not None
    assert (items["EE-20"].dropped, items["EE-2"].dropped, items["EE-35"].dropped) == (True, False, False)
    assert (items["EE-25"].kind, items["EE-25"].references) == (Kind.SUBTASK, (parent("EE-1"),))
    assert items["EE-37"].kind is Kind.ISSUE  # a test execution below a story is no sub-task
    assert items["EE-37"].epic == ""
    assert (items["K5-2"].epic, items["K5-2"].references) == (
        "K5-1",
        (parent("K5-1"),),
    )  # parent.id text, epic.id number
    assert items["K5-4"].kind is Kind.EPIC
    assert items["EE-1"].estimate == -1.0
    assert items["EE-1"].url == "https://acme.atlassian.net/browse/EE-1"


@real
def test_server_payloads() -> None:
    items = load("server_issues.jsonl")
    assert len(items) == 22
    one = items["DZFNK0168-1"]
    assert (one.uid, one.type, one.state, one.kind) == ("jira:10802", "Bug", "open", Kind.ISSUE)
    assert one.created == datetime(2023, 5, 29, 3, 57, 6, tzinfo=UTC)
    assert one.status_changed is None
    assert one.author == one.assignee == "User 8c6976"
    assert one.body.startswith("test你已经")


@real
def test_v2_and_v3_say_the_same() -> None:
    old, new = load("jira_issue-search-v2.json"), load("jira_v3_search-issues.json")
    assert old.keys() == new.keys()
    for key, item_ in old.items():
        assert msgspec.structs.replace(item_, body="") == msgspec.structs.replace(new[key], body="")
    assert old["KP-2"].body == new["KP-2"].body
    assert new["KP-19"].references == (parent("KP-16", "Epic Link"),)
    assert new["KP-19"].epic == "KP-16"
    assert new["KP-15"].references == (parent("KP-2"),)
    assert new["KP-15"].epic == ""


@real
def test_the_narrow_page_of_the_new_search() -> None:
    items = load("cli_search_jql_page.json")
    assert [(i.key, i.state) for i in items.values()] == [("TEST-1", "open"), ("TEST-2", "open"), ("TEST-3", "closed")]
    assert items["TEST-2"].labels == ("critical", "feature")


def status(category: str | None, name: str = "x") -> dict[str, Any]:
    return {"name": name, "statusCategory": {"key": category} if category else None}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": status("done"), "resolution": {"name": "Done"}}, ("closed", False, False)),
        ({"status": status("done"), "resolution": {"name": "won\u2019t do"}}, ("closed", False, True)),
        ({"status": status("done"), "resolution": {"name": "不修复"}}, ("closed", False, True)),
        ({"status": status("done", "Won't Do"), "resolution": {"name": "Done"}}, ("closed", False, True)),
        ({"status": status("indeterminate"), "resolution": {"name": "Duplicate"}}, ("open", True, False)),
        ({"status": status("undefined")}, ("open", False, False)),
        ({"status": None}, ("open", False, False)),
    ],
)
def test_state(fields: dict[str, Any], expected: tuple[str, bool, bool]) -> None:
    got = made(**fields)
    assert (got.state, got.started, got.dropped) == expected


def test_closed_at_falls_back_to_the_change_of_category() -> None:
    got = made(status=status("done"), resolutiondate=None, statuscategorychangedate="2026-01-05T10:00:00.000+0200")
    assert got.closed_at == got.status_changed == datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "ids", "team"),
    [
        ("O1.KR1, INIT-2", ("O1.KR1", "INIT-2"), "O1.KR1, INIT-2"),
        ({"value": "INIT-2", "id": "5"}, ("INIT-2",), "INIT-2"),
        ([{"value": "O1"}, {"value": "O2"}, {"value": "O1"}], ("O1", "O2"), "O1"),
        (["O1", "O2"], ("O1", "O2"), "O1"),
        ({"name": "Payments", "id": "x"}, ("Payments",), "Payments"),
        ({"title": "Payments", "id": "x"}, ("Payments",), "Payments"),
        ({"value": "Europe", "child": {"value": "O3"}}, ("Europe", "O3"), "Europe"),
        (
            {"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "O1"}]}]},
            ("O1",),
            "O1",
        ),
        (None, (), ""),
        ({}, (), ""),
        (True, (), ""),
        ([], (), ""),
    ],
)
def test_custom_fields_of_every_type(value: Any, ids: tuple[str, ...], team: str) -> None:
    got = made(customfield_1=value, customfield_2=value)
    assert (got.okr, got.team) == (ids, team)


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3.0), ("5", 5.0), (None, None), ("many", None), ("nan", None), ([], None)]
)
def test_estimates(value: Any, number: float | None) -> None:
    assert made(customfield_10024=value).estimate == number


def test_people_projects_and_levels() -> None:
    got = made(
        reporter={"displayName": "Automation", "accountId": "1", "accountType": "app"},
        assignee={"accountId": "712020:1"},
        project={"key": "DESK", "projectTypeKey": "service_desk"},
        security={"id": "1", "name": "Board only"},
        components=[{"name": "checkout"}, {"name": None}],
        priority={"name": "High"},
        labels=None,
        issuetype={"name": "Initiative", "hierarchyLevel": 2},
    )
    assert (got.author, got.author_type, got.assignee, got.container) == ("Automation", "app", "712020:1", "DESK")
    assert (got.service_desk, got.restricted, got.components, got.priority) == (True, True, ("checkout",), "High")
    assert got.kind is Kind.EPIC
    assert made(issuetype={"name": "Epic"}).kind is Kind.EPIC  # Data Center knows no levels


def test_parent_and_epic_link_may_differ() -> None:
    epic = {"key": "PAY-3", "fields": {"issuetype": {"name": "Epic", "hierarchyLevel": 1}}}
    assert made(parent=epic).epic == "PAY-3"
    both = made(parent={"key": "PAY-2"}, customfield_10014="PAY-3")
    assert both.references == (parent("PAY-2"), parent("PAY-3", "Epic Link"))
    assert made(customfield_10014="see the wiki").references == ()


def test_what_is_no_issue_is_refused() -> None:
    with pytest.raises(Unreadable, match="without a key"):
        item({"id": "1"})
    with pytest.raises(Unreadable, match="PAY-1"):
        made(labels="not a list")


@pytest.mark.parametrize("text", [None, "", "yesterday", "0001-01-01T00:00:00.000+1400", "2026-13-01"])
def test_times_that_are_none(text: str | None) -> None:
    assert moment(text) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "name", "child", "type", "content", "key"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(json_values, json_values)
@examples(150)
def test_no_custom_field_or_description_breaks_an_item(value: Any, description: Any) -> None:
    got = made(
        customfield_1=value,
        customfield_2=value,
        customfield_10024=value,
        customfield_10014=value,
        description=description,
    )
    assert "\x00" not in got.body + got.team + "".join(got.okr)


@pytest.mark.parametrize("value", ["OPS-1", {"key": "OPS-1"}, {"showField": False, "data": {"id": 3, "key": "OPS-1"}}])
def test_what_is_above_an_epic_on_data_center(value: Any) -> None:
    plans = CustomFields(parent_link="customfield_60")
    fields = {"issuetype": {"name": "Epic"}, "customfield_60": value}
    above = item({"id": "1", "key": "PAY-1", "fields": fields}, plans)
    assert above.references == (parent("OPS-1", "Parent Link"),)
    assert item({"id": "1", "key": "PAY-1", "fields": {"customfield_60": {"data": None}}}, plans).references == ()


def link(words: tuple[str, str], way: str, key: str = "WEB-9", name: str = "Implements") -> dict[str, Any]:
    """`words` are the link type's inward and outward ones; `way`: at which end of it the other issue stands."""
    kind = {"name": name, "inward": words[0], "outward": words[1]}
    return {"id": "1", "type": kind, f"{way}Issue": {"id": "2", "key": key, "fields": {"summary": "x"}}}


@pytest.mark.parametrize(
    ("given", "target"),
    [
        (link(("is implemented by", "implements"), "outward"), "jira:WEB-9"),
        (link(("is implemented by", "Implements "), "outward", name="Delivery"), "jira:WEB-9"),
        (link(("is implemented by", "implements"), "inward"), None),
        (link(("implements", "is implemented by"), "inward"), "jira:WEB-9"),  # the type was made the other way round
        (link(("implements", "is implemented by"), "outward"), None),
        (link(("is blocked by", "blocks"), "outward", name="Blocks"), None),
        (link(("relates to", "relates to"), "inward", name="Relates"), None),
        ({"type": {"name": "Implement"}, "outwardIssue": {"key": "WEB-9"}}, "jira:WEB-9"),
        ({"type": {"name": "Implement"}, "inwardIssue": {"key": "WEB-9"}}, None),
        ({"type": None, "outwardIssue": {"key": "WEB-9"}}, None),
        ({"type": {"outward": "implements"}}, None),
    ],
)
def test_what_an_issue_implements_is_told_by_its_links(given: dict[str, Any], target: str | None) -> None:
    expected = (
        Reference(via=Via.IMPLEMENTS, target=target, structural=True, detail="link: implements") if target else None
    )
    assert made(issuelinks=[given]).references == ((expected,) if expected else ())


def definition(id_: str, name: str, custom: str | None = None) -> FieldDefinition:
    return FieldDefinition(id=id_, name=name, schema=FieldSchema(custom=custom))


KNOWN = [
    definition("summary", "Summary"),
    definition("customfield_7", "Team", "x:team"),
    definition("customfield_8", "team", "x:text"),
    definition("customfield_9", "OKR Initiative", "x:select"),
    definition("customfield_5", "Epos", "com.pyxis.greenhopper.jira:gh-epic-link"),
]


def test_candidates_tell_where_they_live() -> None:
    of_project = msgspec.json.decode(
        b'{"id":"customfield_11","name":"Team","schema":{"type":"string","custom":"x:select"},'
        b'"scope":{"type":"PROJECT","project":{"id":"10007"}}}',
        type=FieldDefinition,
    )
    _, problems = resolve(JiraFields(team="team"), [*KNOWN, of_project])
    assert "customfield_11 (select, only in the project with the id 10007), customfield_7 (team)" in problems[0]


def test_fields_by_name_and_id() -> None:
    fields, problems = resolve(JiraFields(okr="okr initiative", team="CUSTOMFIELD_8"), KNOWN)
    assert problems == ()
    assert fields == CustomFields(okr="customfield_9", team="customfield_8", epic_link="customfield_5")
    assert fields.names[-3:] == ("customfield_5", "customfield_8", "customfield_9")


def test_ambiguous_and_unknown_fields_are_all_told() -> None:
    _, problems = resolve(JiraFields(okr="OKR Initative", team="Team"), KNOWN)
    assert problems == (
        "fields.okr: Jira shows this account no field 'OKR Initative'; did you mean 'OKR Initiative'?",
        "fields.team: field 'Team' is ambiguous: customfield_7 (team), customfield_8 (text); write the id",
    )
