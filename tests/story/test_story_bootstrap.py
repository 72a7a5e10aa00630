"""`bootstrap` proposes rules that, accepted as they are, decide what they say and disturb nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock, untied
from product import Product
from product import StoryClock as Clock

FILE = Path("mappings") / "90-proposed.yaml"


def first_day(product: Product) -> dict[str, Any]:
    """A workspace without rules whose sources were read; the summary of it."""
    for path in (product.root / "mappings").glob("*.yaml"):
        path.unlink()
    product.run("pull")
    return dict(product.run("findings", "--format", "json").json["summary"])


def accept(product: Product) -> str:
    told = product.run("bootstrap")
    assert told.exit == 0, told
    (product.root / FILE).write_text(told.out, encoding="utf-8")
    checked = product.run("check")
    assert checked.exit == 0, checked.err
    assert "warning" not in checked.err, checked.err
    return told.out


@pytest.fixture
def unlabelled(tmp_path: Path) -> Iterator[Product]:
    """The company on its first day: nobody has tied a ticket to a goal yet."""
    clock = Clock()
    with Sandbox(untied(STORY_NOW), clock=StoryClock(STORY_NOW)) as sandbox:
        yield Product(tmp_path / "workspace", sandbox, clock, overrides={})


def test_accepted_as_they_are_the_rules_do_what_they_promise(product: Product) -> None:
    before = first_day(product)
    was = product.alignments()
    promised = product.run("bootstrap", "--format", "json").json
    assert product.run("bootstrap").out == product.run("bootstrap").out
    accept(product)
    after = product.run("findings", "--format", "json").json["summary"]
    assert (before["linked"], after["linked"]) == (promised["linked_now"], promised["linked_then"])
    assert (before["unlinked"], after["unlinked"]) == (promised["unlinked_now"], promised["unlinked_then"])
    assert after["linked"] - before["linked"] >= before["unlinked"] / 2
    now = product.alignments()
    assert {i for i in was if was[i] != "unlinked" and was[i] != now[i]} == set(), "what was decided stays as it is"
    counts = [rule["items"] for rule in promised["rules"] if not rule["team"]]
    assert sum(counts) == before["unlinked"] - after["unlinked"], "each open item is counted once"
    for rule in promised["rules"]:
        assert rule["why"], rule
        if not rule["team"]:
            decides = {
                i["id"] for i in product.run("explain", "--rule", rule["name"], "--format", "json").json["items"]
            }
            assert decides, rule


def test_where_nobody_has_labelled_anything_half_is_linked(unlabelled: Product) -> None:
    unlabelled.sandbox.world.edit_title("github:acme/web#2", "WEB-3: Mend a crash of the document check", "jonas")
    before = first_day(unlabelled)
    out = accept(unlabelled)
    after = unlabelled.run("findings", "--format", "json").json["summary"]
    assert before["alignment_rate"] < 0.05
    assert after["linked"] - before["linked"] >= before["unlinked"] / 2
    assert re.match(r"# These \d+ rules: \d% → \d\d% of open work is aligned\.", out), out.splitlines()[0]
    assert unlabelled.explain("jira:WEB-20")["alignment"] == "stale", "the epic of a goal of the last quarter"
    served = {row["id"]: row["targets"] for row in map(unlabelled.explain, ("jira:PAY-4", "github:acme/web#2"))}
    assert served["jira:PAY-4"][0]["initiative"] == "INIT-CHECKOUT", "a sub-task inherits from its epic"
    assert served["github:acme/web#2"][0]["initiative"] == "INIT-SELFSERVE", "its ticket says more than a crash"


def test_wide_rules_are_told_apart_and_count_upkeep_to_its_area(unlabelled: Product) -> None:
    first_day(unlabelled)
    promised = unlabelled.run("bootstrap", "--format", "json").json
    deciding = [rule for rule in promised["rules"] if not rule["team"]]
    wide = {rule["name"]: rule for rule in deciding if rule["wide"]}
    assert wide["wide: most of OPS to O3"]["why"] == [
        "9 of the 9 linked items of OPS, on 2 tickets, serve O3 (Payments never stop)"
    ]
    assert promised["linked_then"] - promised["linked_narrow"] == sum(rule["items"] for rule in wide.values())
    upkeep = sum(rule["upkeep"] for rule in wide.values())
    assert upkeep == promised["exempt_narrow"] - promised["exempt_then"] > 0
    assert [rule["name"] for rule in promised["spare"]] == ["running costs", "build and delivery"]
    out = accept(unlabelled)
    left = promised["unlinked_narrow"]
    alone = rf"the narrow ones alone would link \d+, exempt \d+, .* leave {left}: \d\d% aligned;\n"
    assert re.search(alone, out), out
    assert f"\n# with the {len(wide)} wide ones they link " in out
    order = ["bugs outside epics", "'wide: most of OPS to O3'", "clean-up", "running costs"]
    places = [out.index(f"- name: {name}") for name in order]
    assert places == sorted(places), out
    stands = {id_: unlabelled.explain(f"jira:{id_}") for id_ in ("OPS-2", "OPS-31", "OPS-35", "OPS-42")}
    assert stands["OPS-2"]["targets"][0]["initiative"] == "INIT-RESILIENCE", "its epic says more than its project"
    assert stands["OPS-35"]["alignment"] == "exempt", "so does its type"
    assert [stands[id_]["targets"][0]["objectives"] for id_ in ("OPS-31", "OPS-42")] == [["O3"], ["O3"]]


def test_without_the_wide_rules_the_upkeep_is_exempt(unlabelled: Product) -> None:
    first_day(unlabelled)
    promised = unlabelled.run("bootstrap", "--format", "json").json
    head, _, rest = accept(unlabelled).partition("  # --- wide: ")
    _, upkeep, rest = rest.partition("  # --- upkeep of an area")
    narrow = re.sub("^# (  - |    )", r"\1", head + upkeep + rest, flags=re.MULTILINE)
    (unlabelled.root / FILE).write_text(narrow, encoding="utf-8")
    checked = unlabelled.run("check")
    assert (checked.exit, "warning" in checked.err) == (0, False), checked.err
    after = unlabelled.run("findings", "--format", "json").json["summary"]
    for name in ("linked", "exempt", "unlinked"):
        assert after[name] == promised[f"{name}_narrow"], name
    assert unlabelled.explain("jira:OPS-31")["alignment"] == "exempt"


def test_a_wide_rule_for_most_of_the_work_is_not_proposed(unlabelled: Product) -> None:
    first_day(unlabelled)
    assert "wide: most of OPS" in unlabelled.run("bootstrap").out
    for number in range(105):
        unlabelled.sandbox.world.jira.add_issue("OPS", f"Paint wall {number}")
    unlabelled.run("pull")
    assert "wide: most of OPS" in unlabelled.run("bootstrap").out, "just under half"
    for number in range(40):
        unlabelled.sandbox.world.jira.add_issue("OPS", f"Paint door {number}")
    unlabelled.run("pull")
    out = accept(unlabelled)
    assert "wide: most of WEB" in out
    assert "wide: most of OPS" not in out


def test_nothing_more_is_proposed_once_accepted(product: Product) -> None:
    first_day(product)
    accept(product)
    told = product.run("bootstrap")
    assert "rules: []" in told.out, told.out


def test_a_rule_for_most_of_the_work_is_not_proposed(unlabelled: Product) -> None:
    for number, found in enumerate(unlabelled.sandbox.world.jira.issues.values()):
        found.parent, found.type, found.title = None, "Task", f"Paint wall {number}"
    first_day(unlabelled)
    assert "bug labels" in unlabelled.run("bootstrap").out
    for found in unlabelled.sandbox.world.jira.issues.values():
        found.labels = ["bug"]
    unlabelled.run("pull", "--full")
    assert "bug labels" not in unlabelled.run("bootstrap").out


def test_a_ticket_that_joins_in_below_the_same_objective_disturbs_nothing(unlabelled: Product) -> None:
    unlabelled.sandbox.world.edit_title("github:acme/web#2", "WEB-35, PAY-2: Pay at once", "jonas")
    first_day(unlabelled)
    mine = "rules:\n  - {name: mine, when: {title: ^Merge address}, link: O1.KR1}\n"
    (unlabelled.root / "mappings/10-mine.yaml").write_text(mine, encoding="utf-8")
    assert unlabelled.explain("github:acme/web#2")["targets"][0]["objectives"] == ["O1"]
    assert "- name: checkout to INIT-CHECKOUT" in accept(unlabelled)
    now = unlabelled.explain("github:acme/web#2")["targets"]
    assert {o for t in now for o in t["objectives"]} == {"O1"}
    assert len(now) == 2


def test_nothing_held_proposes_nothing(product: Product) -> None:
    told = product.run("bootstrap")
    assert told.exit == 0, told
    assert "rules: []" in told.out
    assert "okrsync pull" in told.err
