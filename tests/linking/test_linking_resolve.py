"""Verdicts, case by case, in the words of DESIGN section 5."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from linking_world import Q4, TODAY, context, goals, node, stored

from okrsync.domain.goals import Goals, Initiative
from okrsync.domain.links import Alignment, RuleMatch, RuleMatches
from okrsync.domain.work import Kind
from okrsync.linking import resolve


def verdicts(*items, rules=None, on=None, **changes):
    return resolve(items, on or goals(), rules or {}, context(**changes))


def verdict(*items, **more):
    """Of the first item given."""
    return verdicts(*items, **more)[items[0].item.id]


def rule(link=(), exempt=None, **more):
    return RuleMatches(match=RuleMatch(rule="a rule", link=link, exempt=exempt, detail="project = PAY"), **more)


def why_lost(v):
    return {(lost.origin, lost.via, lost.to): lost.why for lost in v.lost}


# --- explicit evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "node"),
    [
        ("initiative:INIT-1", "INIT-1"),
        ("Initiative/init-1", "INIT-1"),
        ("KR-o1.kr2", "O1.KR2"),
        ("objective: O2", "O2"),
    ],
)
def test_a_label_links(label, node):
    v = verdict(stored("jira:PAY-1", labels=["bug", label]))
    assert (v.alignment, [t.node for t in v.targets]) == (Alignment.LINKED, [node])
    assert (v.path[0].origin, v.path[0].via, v.path[0].to, v.path[0].detail) == ("jira:PAY-1", "label", node, label)


@pytest.mark.parametrize(
    ("label", "unknown", "hint"),
    [
        ("kr:INIT-1", "INIT-1", "INIT-1 is an initiative"),
        ("objective/B1", "B1", "B1 is a bet"),
        ("initiative:INIT-9", "INIT-9", "did you mean"),
        ("exempt:techdebt", "techdebt", "did you mean 'tech-debt'"),
    ],
)
def test_a_label_with_an_unknown_id_is_told(label, unknown, hint):
    v = verdict(stored("jira:PAY-1", labels=[label]))
    assert v.alignment is Alignment.UNLINKED
    assert [(u.via, u.id, u.detail) for u in v.unknown_ids] == [("label", unknown, label)]
    assert hint in v.unknown_ids[0].suggestion
    assert why_lost(v)["jira:PAY-1", "label", unknown].startswith("unknown id")


@pytest.mark.parametrize("label", ["objective-c", "initiative-nothing", "exempt-nothing", "okrs", "kr"])
def test_a_habitual_label_with_a_hyphen_is_no_mistake(label):
    v = verdict(stored("jira:PAY-1", labels=[label]))
    assert (v.alignment, v.unknown_ids, v.lost) == (Alignment.UNLINKED, (), ())


@pytest.mark.parametrize("prefix", ["okr/", "objective:", "Objective:"])
def test_labels_under_the_prefix_are_never_evidence(prefix):
    v = verdict(stored("jira:PAY-1", labels=["okr/O1", "objective:O1"]), label_prefix=prefix)
    assert v.alignment is (Alignment.LINKED if prefix == "okr/" else Alignment.UNLINKED)


def test_an_exemption_by_label():
    v = verdict(stored("jira:PAY-1", labels=["Exempt/Tech-Debt"]))
    assert (v.alignment, v.exempt_class) == (Alignment.EXEMPT, "tech-debt")
    assert v.path[-1].to == "exempt:tech-debt"
    assert verdict(stored("jira:PAY-1", labels=["exempt:promise"]), classes=("promise",)).exempt_class == "promise"


def test_trailers():
    v = verdict(stored("jira:PAY-1", trailers=[("okr", "O1.KR1", "init-2")]))
    assert [t.node for t in v.targets] == ["O1.KR1", "INIT-2"]
    assert v.path[0].detail == "OKR: O1.KR1, init-2"
    assert v.objectives == ("O1", "O2")


def test_a_trailer_of_words_is_prose_and_one_of_unknown_ids_a_mistake():
    prose = verdict(
        stored(
            "jira:PAY-1", trailers=[("objective", "faster"), ("okr", "O1", "soon"), ("okr", "2026"), ("okr", "größe-2")]
        )
    )
    assert (prose.alignment, prose.unknown_ids) == (Alignment.UNLINKED, ())
    known = verdict(stored("jira:PAY-1", trailers=[("okr", "old"), ("kr", "O1"), ("initiative", "INIT-77")]))
    assert [(u.via, u.id) for u in known.unknown_ids] == [("trailer", "O1"), ("trailer", "INIT-77")]


def test_the_field_and_the_order_in_which_evidence_is_shown():
    v = verdict(
        stored("jira:PAY-1", okr=("INIT-2 Web speed",), labels=["kr:O1.KR1"], trailers=[("okr", "O2")]),
        on=goals(work=("jira:pay-1",)),
    )
    assert [t.node for t in v.targets] == ["INIT-2", "O1.KR1", "O2", "INIT-1"]
    assert v.path[0].via == "field"
    several = verdict(stored("jira:PAY-1", okr=("O1.KR1 O2, INIT-2",)))
    assert [t.node for t in several.targets] == ["O1.KR1", "O2", "INIT-2"]
    unknown = verdict(stored("jira:PAY-1", okr=("INIT-9",)))
    assert [(u.via, u.id) for u in unknown.unknown_ids] == [("field", "INIT-9")]
    assert verdict(stored("jira:PAY-1", okr=("N/A", "none; -", "TBD"))).unknown_ids == (), "filled in with nothing"


def test_pinned_work_is_found_under_its_old_id_too():
    on = goals(work=("jira:OLD-7", "jira:OLD-8"))
    v = verdicts(
        stored("jira:PAY-1", aliases=("jira:OLD-7",)), stored("jira:PAY-2"), on=on, aliases={"jira:OLD-8": "jira:PAY-2"}
    )
    assert [v[i].path[0].via for i in ("jira:PAY-1", "jira:PAY-2")] == ["pinned", "pinned"]


def test_a_milestone_counts_one_hop_away():
    body = "Release\n\nOKR: O1.KR1"
    v = verdict(stored("github:a/b#1", milestone_body=body))
    assert next((h.origin, h.via, h.to, h.detail) for h in v.path) == (
        "github:a/b#1",
        "milestone",
        "O1.KR1",
        "OKR: O1.KR1",
    )
    nearer = verdict(stored("github:a/b#1", milestone_body=body, labels=["initiative:INIT-2"]))
    assert [t.node for t in nearer.targets] == ["INIT-2"]
    assert why_lost(nearer) == {("github:a/b#1", "milestone", "O1.KR1"): "farther than the item's own label"}
    same = verdict(
        stored("github:a/b#1", ("parent", "github:a/b#2"), milestone_body=body),
        stored("github:a/b#2", labels=["initiative:INIT-2"]),
    )
    assert {t.node for t in same.targets} == {"O1.KR1", "INIT-2"}


# --- inheritance and precedence ---------------------------------------------------------------------------


def test_the_path_runs_from_the_item_up_to_the_bet():
    v = verdict(
        stored("github:a/b#1", ("key", "jira:PAY-2"), kind=Kind.PULL_REQUEST),
        stored("jira:PAY-2", ("parent", "jira:PAY-1")),
        stored("jira:PAY-1", labels=["initiative:INIT-1"]),
    )
    assert [(h.origin, h.via, h.to) for h in v.path] == [
        ("github:a/b#1", "key", "jira:PAY-2"),
        ("jira:PAY-2", "parent", "jira:PAY-1"),
        ("jira:PAY-1", "label", "INIT-1"),
        ("INIT-1", "supports", "O1.KR1"),
        ("O1.KR1", "supports", "O1"),
        ("O1", "supports", "B1"),
    ]
    target = v.targets[0]
    assert (target.initiative, target.key_results, target.objectives, target.bets) == (
        "INIT-1",
        ("O1.KR1",),
        ("O1",),
        ("B1",),
    )


def test_nearer_beats_farther_and_what_lost_is_kept():
    v = verdict(
        stored("jira:PAY-3", ("parent", "jira:PAY-2")),
        stored("jira:PAY-2", ("parent", "jira:PAY-1"), labels=["initiative:INIT-2"]),
        stored("jira:PAY-1", labels=["initiative:INIT-1"]),
        rules={"jira:PAY-3": rule(link=("O3",))},
    )
    assert [t.node for t in v.targets] == ["INIT-2"]
    assert why_lost(v) == {
        ("jira:PAY-3", "rule", "O3"): "explicit evidence beats rules",
        ("jira:PAY-1", "label", "INIT-1"): "farther than parent jira:PAY-2",
    }


def test_at_the_winning_distance_everything_counts():
    v = verdict(
        stored("github:a/b#1", ("closes", "github:a/b#2"), ("closes", "github:a/b#3"), ("closes", "github:a/b#4")),
        stored("github:a/b#2", labels=["initiative:INIT-OLD", "exempt:parity"]),
        stored("github:a/b#3", labels=["initiative:INIT-2"]),
        stored("github:a/b#4", labels=["kr:O1.KR2"]),
    )
    assert v.alignment is Alignment.LINKED
    assert [(t.node, t.active) for t in v.targets] == [("INIT-2", True), ("O1.KR2", True), ("INIT-OLD", False)]
    assert why_lost(v) == {
        ("github:a/b#2", "label", "INIT-OLD"): "ended on 2026-06-30",
        ("github:a/b#2", "label", "exempt:parity"): "at the same distance an active goal beats an exemption",
    }


def test_ended_goals_make_stale_unless_exempt_and_grace_still_links():
    assert verdict(stored("jira:PAY-1", labels=["initiative:INIT-OLD"])).alignment is Alignment.STALE
    assert verdict(stored("jira:PAY-1", labels=["initiative:INIT-DONE"])).alignment is Alignment.STALE
    both = verdict(stored("jira:PAY-1", labels=["initiative:INIT-OLD", "exempt:parity"]))
    assert (both.alignment, both.targets) == (Alignment.EXEMPT, ())
    assert why_lost(both) == {("jira:PAY-1", "label", "INIT-OLD"): "ended on 2026-06-30"}
    just = verdict(stored("jira:PAY-1", labels=["initiative:INIT-JUST"]))
    assert (just.alignment, just.awaiting_renewal, just.targets[0].active) == (Alignment.LINKED, True, True)


def test_what_was_done_on_a_day_that_nobody_wrote_down_has_no_grace():
    done = Initiative(id="INIT-X", title="Done some day", supports=("O1.KR1",), status="done")
    of = Goals([*goals(), node("initiative", done, Q4, done.supports)], [Q4], today=Q4.starts, grace=timedelta(days=14))
    found = verdict(stored("jira:A-1", labels=["initiative:INIT-X"]), on=of)
    assert (found.alignment, found.targets[0].ended) == (Alignment.STALE, None)


def test_even_stale_explicit_evidence_far_away_beats_an_own_rule():
    v = verdict(
        stored("jira:PAY-2", ("parent", "jira:PAY-1")),
        stored("jira:PAY-1", labels=["initiative:INIT-OLD"]),
        rules={"jira:PAY-2": rule(link=("INIT-1",))},
    )
    assert (v.alignment, v.rule) == (Alignment.STALE, None)


def test_rules_speak_last_and_nearest_first():
    v = verdict(
        stored("jira:PAY-2", ("parent", "jira:PAY-1")),
        stored("jira:PAY-1"),
        rules={"jira:PAY-1": rule(link=("INIT-1", "NOPE"))},
    )
    assert (v.alignment, v.rule) == (Alignment.LINKED, "a rule")
    assert [(h.via, h.to, h.detail) for h in v.path[:2]] == [
        ("parent", "jira:PAY-1", "said so (parent)"),
        ("rule", "INIT-1", "a rule: project = PAY"),
    ]
    own = verdict(
        stored("jira:PAY-2", ("parent", "jira:PAY-1")),
        stored("jira:PAY-1"),
        rules={"jira:PAY-1": rule(link=("INIT-1",)), "jira:PAY-2": rule(exempt="parity")},
    )
    assert (own.alignment, own.exempt_class) == (Alignment.EXEMPT, "parity")
    assert why_lost(own) == {("jira:PAY-1", "rule", "INIT-1"): "farther than the item's own rule"}


def test_matches_may_be_a_function():
    assert verdict(stored("jira:PAY-1"), rules=lambda item: rule(link=("O1",))).alignment is Alignment.LINKED


def test_a_link_rule_that_has_expired_is_told_among_what_lost():
    gone = RuleMatches(lapsed=RuleMatch(rule="old", link=("INIT-1", "NOPE"), until=date(2026, 11, 1)))
    v = verdict(stored("jira:PAY-2", ("parent", "jira:PAY-1")), stored("jira:PAY-1"), rules={"jira:PAY-1": gone})
    assert (v.alignment, v.expired) == (Alignment.UNLINKED, None)
    assert why_lost(v) == {("jira:PAY-1", "rule", "INIT-1"): "the mapping rule expired on 2026-11-01"}


def test_an_expired_exemption_leaves_the_item_unlinked():
    gone = RuleMatches(expired=RuleMatch(rule="old", exempt="tech-debt", until=date(2026, 11, 1)))
    v = verdict(stored("jira:PAY-2", ("parent", "jira:PAY-1")), stored("jira:PAY-1"), rules={"jira:PAY-1": gone})
    assert (v.alignment, v.expired) == (Alignment.UNLINKED, ("tech-debt", date(2026, 11, 1)))
    assert why_lost(v) == {("jira:PAY-1", "rule", "exempt:tech-debt"): "the exemption expired on 2026-11-01"}
    linked = verdict(stored("jira:PAY-1", labels=["kr:O1.KR1"]), rules={"jira:PAY-1": gone})
    assert (linked.alignment, linked.expired) == (Alignment.LINKED, None)


def test_loops_end():
    ring = [stored(f"jira:PAY-{n}", ("parent", f"jira:PAY-{(n + 1) % 5}")) for n in range(5)]
    assert {v.alignment for v in verdicts(*ring).values()} == {Alignment.UNLINKED}
    v = verdicts(
        *ring[:4], stored("jira:PAY-4", ("parent", "jira:PAY-0"), ("parent", "jira:PAY-4"), labels=["kr:O1.KR1"])
    )
    assert {x.alignment for x in v.values()} == {Alignment.LINKED}
    goal_loop = verdict(stored("jira:PAY-1", labels=["objective:O3"]))
    assert (goal_loop.targets[0].objectives, goal_loop.targets[0].ancestors) == (("O3",), ("O4",))


def test_a_chain_of_ten_thousand():
    size = 10_000
    chain = [stored(f"jira:PAY-{n}", ("parent", f"jira:PAY-{n + 1}")) for n in range(1, size)]
    v = verdicts(*chain, stored(f"jira:PAY-{size}", labels=["initiative:INIT-1"]))
    assert all(x.alignment is Alignment.LINKED for x in v.values())
    path = v["jira:PAY-1"].path
    assert len(path) < 100
    assert [(h.origin, h.via, h.to) for h in path[-4:-3]] == [(f"jira:PAY-{size}", "label", "INIT-1")]
    assert [h.detail for h in path if "more items" in h.detail] == ["through 9948 more items"]


def test_a_ticket_that_everything_hangs_on_costs_no_square():
    fan = [stored(f"jira:PAY-{n}", ("parent", "jira:PAY-0"), labels=["kr:NOPE-1"]) for n in range(1, 5000)]
    lost = [("closes", f"github:a/b#{n}") for n in range(5000)]
    hub = stored("jira:PAY-0", *(("implements", s.item.id) for s in fan), ("implements", "jira:END-1"), *lost)
    started = time.process_time()
    v = verdicts(hub, *fan, stored("jira:END-1", labels=["kr:O1.KR1"]))
    assert {x.alignment for x in v.values()} == {Alignment.LINKED, Alignment.UNKNOWN}
    assert all(len(x.lost) < 200 for x in v.values())
    assert time.process_time() - started < 20  # takes about one


# --- unknown ------------------------------------------------------------------------------------------------


def test_an_item_of_a_failed_source_is_unknown_itself():
    linked = stored("jira:PAY-1", labels=["initiative:INIT-1"])
    for failure in ({"failed": frozenset({"jira"})}, {"failed_containers": frozenset({("jira", "PAY")})}):
        v = verdict(linked, **failure)
        assert (v.alignment, v.targets, v.path) == (Alignment.UNKNOWN, (), ())
        assert "could not be read" in v.why
    assert verdict(linked, failed_containers=frozenset({("jira", "WEB")})).alignment is Alignment.LINKED


@pytest.mark.parametrize(
    ("via", "state", "alignment"),
    [
        ("parent", None, Alignment.UNKNOWN),
        ("parent", "missing", Alignment.UNKNOWN),
        ("parent", "forbidden", Alignment.UNKNOWN),
        ("key", None, Alignment.UNKNOWN),
        ("key", "forbidden", Alignment.UNKNOWN),
        ("key", "missing", Alignment.UNLINKED),
    ],
)
def test_references_to_what_is_not_there(via, state, alignment):
    v = verdict(stored("jira:PAY-2", (via, "jira:PAY-1")), unreachable={"jira:PAY-1": state} if state else {})
    assert v.alignment is alignment
    if alignment is Alignment.UNKNOWN:
        assert "jira:PAY-1" in v.why
    else:
        assert why_lost(v) == {("jira:PAY-2", "key", "jira:PAY-1"): "void: no such ticket"}


def test_unknown_yields_only_to_what_is_strictly_nearer():
    failed = {"failed": frozenset({"github"})}
    behind = stored("github:a/b#1", labels=["initiative:INIT-1"])
    own = verdict(stored("jira:PAY-1", ("parent", "github:a/b#1"), labels=["kr:O1.KR2"]), behind, **failed)
    assert [t.node for t in own.targets] == ["O1.KR2"]
    ruled = verdict(
        stored("jira:PAY-1", ("parent", "github:a/b#1")), behind, rules={"jira:PAY-1": rule(link=("O1",))}, **failed
    )
    assert ruled.alignment is Alignment.UNKNOWN
    assert why_lost(ruled)["jira:PAY-1", "rule", "O1"].startswith("cannot decide")
    level = verdict(
        stored("jira:PAY-1", ("parent", "jira:PAY-2"), ("implements", "jira:X-1")),
        stored("jira:PAY-2", labels=["kr:O1.KR2"]),
        unreachable={"jira:X-1": "forbidden"},
    )
    assert level.alignment is Alignment.UNKNOWN


def test_a_connector_that_nobody_configured_is_void():
    v = verdict(stored("jira:PAY-1", ("parent", "gitlab:x-1")))
    assert v.alignment is Alignment.UNLINKED
    assert why_lost(v) == {("jira:PAY-1", "parent", "gitlab:x-1"): "void: no connector named 'gitlab'"}


def test_old_ids_lead_to_the_item_as_it_is_now():
    up = stored("jira:NEW-1", labels=["kr:O1.KR1"], aliases=("jira:OLDER-1",))
    for target, aliases in (("jira:OLDER-1", {}), ("jira:OLD-1", {"jira:OLD-1": "jira:OLDER-1"})):
        v = verdict(stored("jira:PAY-1", ("parent", target)), up, aliases=aliases)
        assert (v.alignment, v.parent) == (Alignment.LINKED, "jira:NEW-1")
    loop = verdict(
        stored("jira:PAY-1", ("parent", "jira:A-1")), aliases={"jira:A-1": "jira:B-1", "jira:B-1": "jira:A-1"}
    )
    assert loop.alignment is Alignment.UNKNOWN


def test_a_chased_item_that_became_forbidden_no_longer_counts():
    up = stored("jira:X-1", labels=["kr:O1.KR1"], chased=True)
    below = stored("jira:PAY-1", ("parent", "jira:X-1"))
    assert verdict(below, up).alignment is Alignment.LINKED
    assert verdict(below, up, unreachable={"jira:X-1": "forbidden"}).alignment is Alignment.UNKNOWN


# --- what else a verdict tells ------------------------------------------------------------------------------


def test_objectives_of_the_item_and_of_its_parent():
    child = stored("jira:PAY-3", ("parent", "jira:PAY-2"), labels=["objective:O2"])
    v = verdict(
        child, stored("jira:PAY-2", ("parent", "jira:PAY-1")), stored("jira:PAY-1", labels=["initiative:INIT-1"])
    )
    assert (v.parent, v.own_objectives, v.parent_objectives) == ("jira:PAY-2", ("O2",), ("O1",))


def test_the_team_comes_from_field_rule_or_objective():
    by_rule = {"jira:PAY-1": RuleMatches(team="Rule team")}
    labels = ["initiative:INIT-1"]
    assert verdict(stored("jira:PAY-1", team="Field team", labels=labels), rules=by_rule).team == "Field team"
    assert verdict(stored("jira:PAY-1", labels=labels), rules=by_rule).team == "Rule team"
    assert verdict(stored("jira:PAY-1", labels=labels)).team == "Payments"
    assert verdict(stored("jira:PAY-1")).team == ""
    child = verdict(stored("jira:PAY-2", ("parent", "jira:PAY-1")), stored("jira:PAY-1"), rules=by_rule)
    assert child.team == "", "a team rule speaks of the item itself only"


def test_the_present_cycle_is_what_evidence_means():
    assert verdict(stored("jira:PAY-1", labels=["objective:OLD"])).targets[0].ended == date(2026, 6, 30)
    assert goals().today == TODAY
