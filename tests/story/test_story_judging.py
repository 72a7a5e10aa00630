"""What `findings` and `explain` say of the example company, as people and programs read it."""

from __future__ import annotations

import re
from itertools import pairwise

from product import Product


def test_a_past_cycle_chosen_by_hand_is_no_gap_between_cycles(product: Product) -> None:
    assert product.run("pull").exit == 0
    chosen = product.run("findings", "--cycle", "2026-Q3", "--format", "json")
    assert chosen.json["run"]["cycle"] == "2026-Q3"
    assert "no cycle contains today" not in chosen.err
    product.clock.advance(days=90)
    assert "no cycle contains today; 2026-Q4" in product.run("findings").err


def test_titles_of_restricted_tickets_stay_out_of_the_findings(product: Product) -> None:
    issue = product.sandbox.world.jira.add_issue("PAY", "Lay off the moon base", security="Top")
    assert product.run("pull").exit == 0
    for form in ("text", "json"):
        said = product.run("findings", "--format", form).out
        assert f"jira:{issue.key}" in said
        assert "moon base" not in said


def test_findings_say_the_same_fix_of_a_rule_once(product: Product) -> None:
    assert product.run("pull").exit == 0
    text = product.run("findings").out
    rules = re.findall(r"^\w+ +(OKR\d+) ", text, re.MULTILINE)
    fixes = re.findall(r"^ +fix: (.*)$", text, re.MULTILINE)
    assert rules.count("OKR101") > 20
    assert len(fixes) < len(rules)
    assert [one for one, next_ in pairwise(fixes) if one == next_] == []


def test_explain_says_what_was_found_about_a_goal(product: Product) -> None:
    assert product.run("pull").exit == 0
    found = next(f for f in product.run("findings", "--format", "json").json["findings"] if f["code"] == "OKR201")
    id_ = found["subject"]["id"]
    data = product.explain(id_)
    assert data["supported"] is False
    assert "OKR201" in [f["code"] for f in data["findings"]]
    text = product.run("explain", id_).out
    assert found["message"] in text
    assert f"fix: {found['remedy']}" in text


def test_explain_suggests_initiatives_for_unlinked_work_only_and_acts_on_none(product: Product) -> None:
    issue = product.sandbox.world.jira.add_issue("PAY", "One-page checkout: keep the order summary on one page")
    assert product.run("pull").exit == 0
    data = product.explain(f"jira:{issue.key}")
    assert (data["alignment"], data["suggestions"][0]["initiative"]) == ("unlinked", "INIT-CHECKOUT")
    assert set(data["suggestions"][0]) == {"initiative", "score", "why"}
    assert "shares '" in data["suggestions"][0]["why"]
    said = product.run("explain", f"jira:{issue.key}").out
    assert f"perhaps it belongs to INIT-CHECKOUT: {data['suggestions'][0]['why']}" in said
    linked = next(i for i, alignment in product.alignments().items() if alignment == "linked")
    assert product.explain(linked)["suggestions"] == []


def test_a_pin_holds_under_the_name_that_its_repository_had(product: Product) -> None:
    """Also where nobody has seen the item under that name: a first pull after the renaming."""
    world = product.sandbox.world
    world.remove_label("github:acme/sdk-js#3", "initiative:INIT-WALLETS", "ada")
    world.rename_repo("acme/sdk-js", "acme/sdk-web", "ada")
    product.run("pull")
    path = product.run("explain", "github:acme/sdk-web#3", "--format", "json").json["path"]
    assert [(hop["via"], hop["to"]) for hop in path][:1] == [("pinned", "INIT-WALLETS")]
