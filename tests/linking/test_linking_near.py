"""Keys that do not count as written: renamed projects, which are declared, and typing errors, which are only told."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import context, goals, item, pull_request
from test_linking_references import DATA, PROJECTS

from examples import examples
from okrsync.domain.links import Alignment, NearKey
from okrsync.domain.work import Reference, StoredItem, Via
from okrsync.linking import explain, explain_text, read_text, resolve
from okrsync.linking.near import near_keys

RENAMED = {"CALCITE": "jira", "OPTIQ": "jira:CALCITE", "PAY": "jira"}


def judged(projects=PROJECTS, **text):
    read = read_text(pull_request(**text), projects)
    held = StoredItem(item=read, read_at=read.updated, moved_at=read.updated)
    return held, resolve([held], goals(), {}, context(projects=projects))[read.id]


def near(projects=PROJECTS, **text):
    return [(n.written, n.meant) for n in judged(projects, **text)[1].near_keys]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ({"title": "OPTIQ-12: x"}, "title: OPTIQ-12"),
        ({"branch": "optiq-12-x"}, "branch: OPTIQ-12"),
        ({"body": "Fixes OPTIQ-12"}, "description: Fixes OPTIQ-12"),
        ({"body": "https://acme.test/browse/OPTIQ-12"}, "description: OPTIQ-12"),
    ],
)
def test_the_old_key_of_a_renamed_project_means_the_present_one(text, detail):
    assert read_text(pull_request(**text), RENAMED).references == (
        Reference(via=Via.KEY, target="jira:CALCITE-12", structural=False, detail=detail),
    )


def test_old_and_present_key_are_one_ticket():
    read = read_text(pull_request(title="OPTIQ-12/13, CALCITE-12: x"), RENAMED)
    assert [r.target for r in read.references] == ["jira:CALCITE-12", "jira:CALCITE-13"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("KAKFA-9503: typed wrong", [("KAKFA-9503", "jira:KAFKA-9503")]),
        ("MINOR: see KAKFA-9503", [("KAKFA-9503", "jira:KAFKA-9503")]),
        ("KAFK-9503: x", [("KAFK-9503", "jira:KAFKA-9503")]),
        ("KAFKAA-9503: x", [("KAFKAA-9503", "jira:KAFKA-9503")]),
        ("KAFKA 14515: Optimized", [("KAFKA 14515", "jira:KAFKA-14515")]),
        ("Kafka 16887 : Upgrade", [("Kafka 16887", "jira:KAFKA-16887")]),
        ("KAFKA4811; ReplicaFetchThread", [("KAFKA4811", "jira:KAFKA-4811")]),
        ("Kafka_7064 - bug", [("Kafka_7064", "jira:KAFKA-7064")]),
        ("KAFKA:5653: add join", [("KAFKA:5653", "jira:KAFKA-5653")]),
        ("[HOTFIX] KAFKA- 12834 : Removed", [("KAFKA- 12834", "jira:KAFKA-12834")]),
        ("KAFKA–12834: a dash", [("KAFKA–12834", "jira:KAFKA-12834")]),
        ("kafka-12994: Migrated", [("kafka-12994", "jira:KAFKA-12994")]),
        ("fix: windows without grace period (#kafka-13739)", [("kafka-13739", "jira:KAFKA-13739")]),
        ("Kafka 4 is out, Kafka 3.7 is not", []),
        ("KAFKA 3.70: a version", []),
        ("Add KIP-919 support, CVE-2024-1, UTF-8", []),
        ("the web 12 team, kafta-12 in lower case", []),
        ("HDD-1, HDDS2", []),
        ("PEY-1: three letters are too few to guess by", []),
    ],
)
def test_typing_errors_are_told_and_never_linked(title, expected):
    assert near(title=title) == expected
    held, verdict = judged(title=title)
    assert (verdict.alignment, verdict.path) == (Alignment.UNLINKED, ())
    assert held.item.references == ()
    keyed = read_text(pull_request(title=f"KAFKA-14: a key that counts, {title}"), PROJECTS)
    assert near_keys(keyed, PROJECTS) == ()


def test_branches_are_looked_at_where_the_title_says_nothing():
    assert near(branch="fix/kakfa-77-x") == [("kakfa-77", "jira:KAFKA-77")]
    assert near(title="KAFKA 123: x", branch="kakfa-77") == [("KAFKA 123", "jira:KAFKA-123")]


def test_two_projects_as_near_are_no_suggestion():
    assert near({"ALPHA": "jira", "ALPHB": "jira"}, title="ALPHC-1: x") == []
    assert near({"OPTIQ": "jira:CALCITE", "CALCITE": "jira"}, title="OPTQI-1: x") == [("OPTQI-1", "jira:CALCITE-1")]


def test_only_open_unlinked_pull_requests_are_told():
    assert near(title="KAKFA-1: x", state="closed") == []
    assert near(title="KAKFA-1: x", labels=("initiative:INIT-1",)) == []
    issue = read_text(item("github:acme/web#5", title="KAKFA-1: x"), PROJECTS)
    assert near_keys(issue, PROJECTS) == ()


def test_explain_says_what_may_be_meant():
    held, verdict = judged(title="KAKFA-9503: typed wrong")
    data = explain("github:acme/web#1", goals=goals(), items={held.item.id: held}, verdicts={held.item.id: verdict})
    assert data["near_keys"] == [{"written": "KAKFA-9503", "meant": "jira:KAFKA-9503", "where": "title"}]
    assert "`KAKFA-9503` in its title means jira:KAFKA-9503" in explain_text(data)
    assert verdict.near_keys == (NearKey(written="KAKFA-9503", meant="jira:KAFKA-9503", where="title"),)


@given(st.text("KAFkaf-12 :#_[]\n", max_size=40), st.text("KAFkaf-12/_", max_size=20))
@examples(200)
def test_whatever_is_near_is_no_reference(title, branch):
    held, verdict = judged({"KAFKA": "jira"}, title=title, branch=branch)
    assert not (held.item.references and verdict.near_keys)
    assert all(n.meant.startswith("jira:KAFKA-") for n in verdict.near_keys)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded titles are not at {DATA}")
def test_real_typing_errors_are_recognised():
    projects = {"KAFKA": "jira"}
    seen = {"project_typo": 0, "key_space_for_dash": 0, "key_missing_dash": 0, "lookalike_not_a_key": 0}
    told = dict.fromkeys(seen, 0)
    for line in (DATA / "title_traps.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["cat"] in seen and not read_text(pull_request(title=row["subject"]), projects).references:
            seen[row["cat"]] += 1
            told[row["cat"]] += bool(near(projects, title=row["subject"]))
    assert told["project_typo"] >= 0.8 * seen["project_typo"] > 0
    assert told["key_space_for_dash"] >= 0.8 * seen["key_space_for_dash"] > 0
    assert told["key_missing_dash"] == seen["key_missing_dash"] > 0
    assert told["lookalike_not_a_key"] == 0
