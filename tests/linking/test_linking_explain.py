"""Which references are chased, and what `explain` says: as data and in words."""

from __future__ import annotations

import json
from datetime import date

import pytest
from linking_world import context, goals, stored
from msgspec.structs import replace

from okrsync.domain.links import RuleMatch, RuleMatches
from okrsync.domain.work import Kind
from okrsync.linking import UnknownSubject, dangling, explain, explain_text, resolve

RULES = {
    "jira:PAY-3": RuleMatches(match=RuleMatch(rule="bugs", exempt="parity")),
    "jira:OPS-1": RuleMatches(expired=RuleMatch(rule="bumps", exempt="tech-debt", until=date(2026, 11, 1))),
}
ITEMS = [
    stored("github:acme/web#1", ("key", "jira:PAY-3"), kind=Kind.PULL_REQUEST),
    stored("jira:PAY-3", ("parent", "jira:PAY-1"), labels=["kr:NOPE-1"], kind=Kind.SUBTASK),
    stored("jira:PAY-1", labels=["initiative:INIT-1"], kind=Kind.EPIC),
    stored("jira:PAY-4", labels=["initiative:INIT-OLD"]),
    stored("jira:PAY-5", ("parent", "jira:X-1"), labels=["okr/unlinked"]),
    stored("jira:PAY-6", labels=["exempt:parity"]),
    stored("jira:PAY-7", labels=["initiative:INIT-JUST"], state="closed"),
    stored("jira:OPS-1", aliases=("jira:OLD-1",)),
    stored("jira:FAR-1", labels=["initiative:INIT-1"], chased=True),
    stored("jira:PAY-9", labels=["objective:O7"]),
    stored("jira:OLD-9", state="closed"),
    # three pieces of evidence for two goals, and one for a goal that has ended
    stored(
        "jira:PAY-8",
        ("parent", "jira:PAY-1"),
        labels=["initiative:INIT-2", "initiative:INIT-DONE"],
        trailers=[("okr", "INIT-2", "O1.KR2")],
    ),
]
SUPPORTING = ("github:acme/web#1", "jira:PAY-1", "jira:PAY-3")
VIEW = {
    "goals": goals(),
    "items": {s.item.id: s for s in ITEMS},
    "verdicts": resolve(ITEMS, goals(), RULES, context(unreachable={"jira:X-1": "forbidden"})),
}


def said(id_, **more):
    return explain(id_, **VIEW, **more)


def test_the_shape_of_an_item():
    data = said("github:acme/web#1", observed_labels=("okr/O1",), owned_comment="77")
    assert json.loads(json.dumps(data)) == data
    assert {
        k: data[k]
        for k in ("id", "kind", "alignment", "exempt_class", "suggestions", "observed_labels", "owned_comment")
    } == {
        "id": "github:acme/web#1",
        "kind": "pull_request",
        "alignment": "linked",
        "exempt_class": None,
        "suggestions": [],
        "observed_labels": ["okr/O1"],
        "owned_comment": "77",
    }
    assert data["targets"] == [
        {"initiative": "INIT-1", "key_results": ["O1.KR1"], "objectives": ["O1"], "bets": ["B1"]}
    ]
    assert data["path"][0] == {"from": "github:acme/web#1", "via": "key", "to": "jira:PAY-3", "detail": "said so (key)"}
    assert [(hop["via"], hop["to"]) for hop in data["path"][-3:]] == [
        ("supports", "O1.KR1"),
        ("supports", "O1"),
        ("supports", "B1"),
    ]
    assert {lost["via"]: lost["why"] for lost in data["lost"]} == {
        "label": "unknown id",
        "rule": "explicit evidence beats rules",
    }
    assert set(data["lost"][0]) == {"from", "via", "to", "detail", "why"}


@pytest.mark.parametrize(
    ("id_", "sentences"),
    [
        (
            "github:acme/web#1",
            [
                "Linked: this work serves INIT-1 > O1.KR1 > O1.",
                "1. github:acme/web#1 names the ticket jira:PAY-3",
                "2. jira:PAY-3 belongs to jira:PAY-1",
                "3. jira:PAY-1 carries the label initiative:INIT-1",
                "4. INIT-1 supports O1.KR1 (61% to 68%)",
                "a mapping rule ties jira:PAY-3 to exempt:parity (bugs): explicit evidence beats rules",
            ],
        ),
        ("jira:PAY-3", ["correct `kr:NOPE-1`: NOPE-1 is unknown"]),
        ("jira:PAY-9", ["Unlinked: what it names does not exist (O7).", "or put it below a ticket"]),
        ("jira:OLD-9", ["Unlinked: nothing says", "It is closed: nothing has to be done."]),
        (
            "jira:PAY-4",
            [
                "Stale: this work is tied only to goals that have ended: INIT-OLD > OLD.",
                "- close it if",
                "`/okr link ID`",
            ],
        ),
        ("jira:PAY-5", ["Unknown: it cannot be told", "jira:X-1 (parent of jira:PAY-5) may not be read (forbidden)"]),
        ("jira:PAY-6", ["Exempt: this work serves no goal, and that is agreed (parity)."]),
        ("jira:PAY-7", ["That goal has ended, but so recently"]),
        (
            "jira:OPS-1",
            [
                "Unlinked: it was exempt as tech-debt, but only until 2026-11-01.",
                "- extend the mapping rule if the exemption still holds, else\n  - give it a label",
                "`OKR: ID`",
                "`exempt:CLASS`",
            ],
        ),
        (
            "jira:PAY-8",
            [
                "Linked: this work serves INIT-2 > O2; O1.KR2 > O1.",
                "What counts as well:\n  - jira:PAY-8 says `OKR: INIT-2, O1.KR2` in its description",
                "jira:PAY-8 carries the label initiative:INIT-DONE: ended on 2026-10-15",
                "jira:PAY-1 carries the label initiative:INIT-1: farther than the item's own label",
            ],
        ),
        ("INIT-1", ["3 pieces of work reach it; all of them count as its support today:"]),
        (
            "INIT-DONE",
            [
                "1 piece of work reaches it, and does not count as its support today:",
                "does not count: INIT-DONE has ended",
            ],
        ),
        ("O3", ["(objective, 2026-Q4; owner: nobody)", "No work in Jira and GitHub reaches it.", "`objective:O3`"]),
        ("o1", ["jira:PAY-7 (closed, linked through INIT-JUST)", "1. O1 supports B1 (Self-serve payments)"]),
        ("INIT-OLD", ["Ended on 2026-06-30.", "jira:PAY-4 (open, stale)"]),
        ("B1", ["strategic bet"]),
    ],
)
def test_words_for_people(id_, sentences):
    text = explain_text(said(id_, supporting=SUPPORTING))
    for sentence in sentences:
        assert sentence in text, text


def test_words_say_nothing_twice_and_ask_nothing_of_closed_work():
    unknown = explain_text(said("jira:PAY-5"))
    assert unknown.count("jira:X-1") == 1
    assert "or say on the item itself which goal it serves" in unknown
    closed = explain_text(said("jira:OLD-9"))
    assert "What to do" not in closed
    assert "OKR: ID" not in closed


def test_goals_list_the_work_that_reaches_them():
    data = said("o1.kr1", supporting=SUPPORTING)
    assert (data["id"], data["kind"], data["alignment"], data["supported"]) == ("O1.KR1", "key_result", None, True)
    assert [(w["id"], w["through"], w["counts"], w["why"]) for w in data["work"]] == [
        ("github:acme/web#1", "INIT-1", True, ""),
        ("jira:PAY-1", "INIT-1", True, ""),
        ("jira:PAY-3", "INIT-1", True, ""),
        ("jira:PAY-8", "INIT-DONE", False, "INIT-DONE has ended"),
        ("jira:PAY-7", "INIT-JUST", False, "it was closed outside of the active cycle"),
    ]
    assert [hop["to"] for hop in data["path"]] == ["O1", "B1"]
    assert data["targets"][0]["objectives"] == ["O1"]
    assert json.loads(json.dumps(data)) == data
    assert said("O3")["supported"] is False


def test_every_piece_of_evidence_is_in_the_path_beside_it_or_among_what_lost():
    data = said("jira:PAY-8")
    assert [t["initiative"] for t in data["targets"]] == ["INIT-2", None]
    assert [(hop["via"], hop["to"]) for hop in data["path"]][:1] == [("label", "INIT-2")]
    assert [(hop["from"], hop["via"], hop["to"]) for hop in data["also"]] == [
        ("jira:PAY-8", "trailer", "O1.KR2"),
        ("jira:PAY-8", "trailer", "INIT-2"),
    ]
    assert {lost["to"] for lost in data["lost"]} == {"INIT-1", "INIT-DONE"}


def test_items_are_found_by_old_id_by_key_and_in_any_case():
    assert said("JIRA:ops-1")["id"] == said("ops-1")["id"] == "jira:OPS-1"
    for old in ("jira:OLD-1", "JIRA:old-1", "OLD-1"):
        assert said(old, aliases={"jira:OLD-1": "jira:OPS-1"})["id"] == "jira:OPS-1"
    with pytest.raises(UnknownSubject, match=r"nothing is known of 'INIT-11'.*did you mean 'INIT-1'"):
        said("INIT-11")


@pytest.mark.parametrize(
    ("address", "id_"),
    [
        ("https://jira.test/browse/PAY-3", "jira:PAY-3"),
        ("https://JIRA.test/sub/browse/pay-3/?focusedId=1#comment", "jira:PAY-3"),
        ("https://hub.test/acme/web/pull/1", "github:acme/web#1"),
        ("https://hub.test/Acme/Web/pull/1/files#diff", "github:acme/web#1"),
        ("https://hub.test/acme/web/issues/1", "github:acme/web#1"),
    ],
)
def test_the_page_of_a_ticket_is_a_name_of_it(address, id_):
    urls = {"jira:PAY-3": "https://jira.test/browse/PAY-3", "github:acme/web#1": "https://hub.test/acme/web/pull/1"}
    items = {i: replace(s, item=replace(s.item, url=urls.get(i, s.item.url))) for i, s in VIEW["items"].items()}
    assert explain(address, **{**VIEW, "items": items})["id"] == id_
    elsewhere = address.replace(".test", ".example").replace("JIRA", "jira")
    for other in (elsewhere, address.replace("https", "ftp"), "https://[", "https://jira.test/PAY-3"):
        with pytest.raises(UnknownSubject):
            explain(other, **{**VIEW, "items": items})


def test_chasing_asks_for_what_is_missing():
    items = [
        stored(
            "jira:PAY-1",
            ("parent", "jira:Z-1"),
            ("parent", "jira:PAY-2"),
            ("key", "jira:OLD-1"),
            ("key", "jira:OLD-2"),
            ("implements", "gitlab:X-1"),
            ("closes", "github:a/b#1"),
            ("key", "jira:GONE-1"),
        ),
        stored("jira:PAY-2", ("parent", "jira:Z-1")),
    ]
    asked = dangling(
        [reference.target for stored_item in items for reference in stored_item.item.references],
        known={"jira:PAY-1", "jira:PAY-2"},
        aliases={"jira:OLD-1": "jira:PAY-2", "jira:OLD-2": "jira:NEW-2"},
        connectors={"jira", "github"},
        skip={"jira:GONE-1"},
    )
    assert asked == ("github:a/b#1", "jira:NEW-2", "jira:Z-1")


def test_an_unlinked_item_tells_where_it_was_looked():
    world = [
        stored("github:acme/web#2", ("key", "jira:PAY-9"), kind=Kind.PULL_REQUEST),
        stored("jira:PAY-9", ("parent", "jira:PAY-1")),
        stored("jira:PAY-1", kind=Kind.EPIC),
    ]
    data = explain(
        "github:acme/web#2",
        goals=goals(),
        items={s.item.id: s for s in world},
        verdicts=resolve(world, goals(), {}, context()),
    )
    assert [(hop["to"], hop["alignment"]) for hop in data["leads_to"]] == [("jira:PAY-9", "unlinked")]
    assert "names the ticket jira:PAY-9" in explain_text(data)
    assert "which is unlinked itself" in explain_text(data)
    assert "or tie jira:PAY-9 in one of these ways, and this work follows it" in explain_text(data)
