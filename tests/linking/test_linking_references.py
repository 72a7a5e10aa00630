"""References and trailers out of the text of titles, branches and descriptions."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import item, pull_request

from examples import examples
from okrsync.domain.work import Reference, Via
from okrsync.linking import read_text

PROJECTS = {"PAY": "jira", "WEB": "jira", "PAY_X": "other", "HDDS": "jira", "KAFKA": "jira"}
DATA = Path(os.environ.get("OKRSYNC_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data" / "kafka"


def keys(**text):
    return [
        r.target.partition(":")[2] for r in read_text(pull_request(**text), PROJECTS).references if r.via is Via.KEY
    ]


def closes(body, **more):
    return [r.target for r in read_text(pull_request(body=body, **more), PROJECTS).references if r.via is Via.CLOSES]


def trailers(body):
    return [(t.kind, *t.ids) for t in read_text(item("jira:PAY-1", body=body), PROJECTS).trailers]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("PAY-1: fix", ["PAY-1"]),
        ("PAY-1/2/3: three", ["PAY-1", "PAY-2", "PAY-3"]),
        ("KAFKA-13258/13259/13260: Fix error response generation", ["KAFKA-13258", "KAFKA-13259", "KAFKA-13260"]),
        ("PAY-1, WEB-2; PAY-3 & PAY-4 and PAY-5: five", ["PAY-1", "WEB-2", "PAY-3", "PAY-4", "PAY-5"]),
        ("[PAY-1][PAY-2] x", ["PAY-1", "PAY-2"]),
        ("PAY-1 PAY-1: twice", ["PAY-1"]),
        ("[HOTFIX] PAY-1 after PAY-2", ["PAY-1"]),
        ("MINOR - PAY-1: x, see PAY-2", ["PAY-1"]),
        ("feat(PAY-1): x like PAY-2", ["PAY-1"]),
        ("feat(checkout)!: PAY-1 x like PAY-2", ["PAY-1"]),
        ("HDDS-9483. freon is broken by HDDS-6176. (#5716)", ["HDDS-9483"]),
        ("KAFKA-16435 Add test for KAFKA-16428", ["KAFKA-16435"]),
        ("MINOR: fix X broken by KAFKA-15922", ["KAFKA-15922"]),
        ("Fix PAY-1: x", ["PAY-1"]),
        ("Upgrade Netty [PAY-1]", ["PAY-1"]),
        ('Revert "Revert "KAFKA-15661: KIP-951: Server (#14444)" (#14738)" (#14747)', ["KAFKA-15661"]),
        ('HOTFIX: Revert "PAY-1: x because of PAY-2"', ["PAY-1"]),
        ("\u200bPAY-1:\u00a0x because of PAY-2", ["PAY-1"]),
        ("KAFKA-15466: Add KIP-919 support", ["KAFKA-15466"]),
        ("CVE-2024-1, UTF-8, KIP-919", []),
        ("KAKFA-9503: typed wrong", []),
        ("KAFKA4811; KAFKA 14515: kafka-1", []),
        ("[FLINK-XXXXX] placeholder", []),
        ("PAY-0 PAY-01 PAY-1a XPAY-1 PAY-1.2", []),
        ("PAY_X-4: underscore", ["PAY_X-4"]),
        ("PAY-1 [1/2]: part", ["PAY-1"]),
    ],
)
def test_keys_in_titles(title, expected):
    assert keys(title=title) == expected


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("feature/pay-12-checkout", ["PAY-12"]),
        ("ada/Pay-12_checkout-web-3", ["PAY-12", "WEB-3"]),
        ("feature_pay_x-4", ["PAY_X-4"]),
        ("fix-pay-7", ["PAY-7"]),
        ("repay-12", []),
        ("dependabot/npm/pay-1.2.3", []),
        ("renovate/pay-1.x", []),
        ("renovate/pay-1.x-lockfile", []),
        ("feature/pay-1.xml", ["PAY-1"]),
        ("pay-12a", []),
        ("main", []),
    ],
)
def test_keys_in_branches(branch, expected):
    assert keys(branch=branch) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Fixes PAY-1", ["PAY-1"]),
        ("This resolves: PAY-1, PAY-2 and WEB-3.", ["PAY-1", "PAY-2", "WEB-3"]),
        ("Closes https://acme.atlassian.net/browse/PAY-1", ["PAY-1"]),
        ("Closes [PAY-1](https://acme.example/jira/browse/PAY-1)", ["PAY-1"]),
        ("Jira: PAY-1", ["PAY-1"]),
        ("- **Ticket:** [PAY-1](https://acme.atlassian.net/browse/PAY-1)", ["PAY-1"]),
        ("Issue: PAY-1\nRefs: WEB-2\nJira ticket: PAY-3", ["PAY-1", "WEB-2", "PAY-3"]),
        ("## Jira\n\nhttps://acme.atlassian.net/browse/PAY-1\n\n## What", ["PAY-1"]),
        ("PAY-1", ["PAY-1"]),
        ("a line that was wrapped, see\nPAY-1\nfor more", []),
        ("Refs: PAY-1 explains it", []),
        ("See PAY-1 for the background", []),
        ("prefixes PAY-1, hotfix PAY-1, bug-fixes PAY-1", []),
        ("> Fixes PAY-1\n`Fixes PAY-2`\n<!-- Jira: PAY-3 -->\n```\nFixes PAY-4\n```\n\n    Fixes PAY-5", []),
        ("Fixes UTF-8 and CVE-2024-1", []),
    ],
)
def test_keys_in_descriptions(body, expected):
    assert keys(body=body) == expected


def test_the_title_wins_over_the_branch_and_the_branch_over_the_description():
    assert keys(title="PAY-1: x", branch="pay-2", body="Fixes PAY-3") == ["PAY-1"]
    assert keys(branch="pay-2", body="Fixes PAY-3") == ["PAY-2"]


def test_a_key_reference_names_its_connector_and_where_it_was_found():
    read = read_text(pull_request(body="Fixes PAY_X-3"), PROJECTS)
    assert read.references == (
        Reference(via=Via.KEY, target="other:PAY_X-3", structural=False, detail="description: Fixes PAY_X-3"),
    )


def test_keys_and_closing_keywords_count_on_pull_requests_only():
    issue = item("github:acme/web#5", title="PAY-1: x", body="Fixes PAY-2, fixes #7\nOKR: O1")
    read = read_text(issue, PROJECTS)
    assert read.references == ()
    assert [t.ids for t in read.trailers] == [("O1",)]


def test_closing_keywords():
    body = "Closes #12, FIXED: Acme/Web#13; resolves o/r#3, closed https://github.com/o/r/issues/4"
    assert closes(body) == ["github:acme/web#12", "github:acme/web#13", "github:o/r#3", "github:o/r#4"]
    assert (
        closes("see #1, hotfix #2, fixes #3a, fixes https://elsewhere.test/o/r/issues/5, fixes #1x, closing #4") == []
    )
    assert closes("> fixes #1\n`fixes #2` fixes `x` #3\n~~~\nfixes #4\n~~~\n<!-- fixes #5\nfixes #6 -->fixes #7") == [
        "github:acme/web#7"
    ]
    assert closes("fixes #1") == [], "a pull request does not close itself"


def test_what_the_server_states_is_not_said_twice():
    stated = Reference(via=Via.CLOSES, target="github:acme/web#12", structural=True)
    read = read_text(pull_request(body="Fixes #12, fixes #13", references=(stated,)), PROJECTS)
    assert [(r.target, r.structural) for r in read.references] == [
        ("github:acme/web#12", True),
        ("github:acme/web#13", False),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("OKR: O1.KR1, INIT-2", [("okr", "O1.KR1", "INIT-2")]),
        ("text\n\n**Initiative:** init-1.\nkr : O1.KR2", [("initiative", "init-1"), ("kr", "O1.KR2")]),
        ("Objective: make the page faster", []),
        (
            "- OKR: O1\n  * **Initiative:** INIT-2\n- > OKR: O2\n- Objective: faster pages",
            [("okr", "O1"), ("initiative", "INIT-2")],
        ),
        ("OKR: Größe-1, 目标1\nInitiative: INIT\u200b-1", [("okr", "Größe-1", "目标1"), ("initiative", "INIT-1")]),
        ("OKR: O1 and more", []),
        ("OKR:", []),
        ("An OKR: O1", []),
        ("> OKR: O1", []),
        ("```\nOKR: O1\n```\nOKR: `O2`\n`OKR: O3`", []),
        ("```\nnever closed\nOKR: O1", []),
        ("````\n```\nOKR: O1\n````\nOKR: O2", [("okr", "O2")]),
        ("intro\n\n    OKR: O1", []),
        ("<!-- write OKR: O1 -->\n<!--\nOKR: O2\n-->\nOKR: O3", [("okr", "O3")]),
        ("use `<!--` here\nOKR: O1", [("okr", "O1")]),
        ("OKR: O1\r\nOKR: O1\r\nOKR: O2", [("okr", "O1"), ("okr", "O2")]),
    ],
)
def test_trailers(body, expected):
    assert trailers(body) == expected


words = st.sampled_from(
    ["PAY-1", "PAY-2/3", "fixes ", "Jira: ", "#12", "\n", "\n\n", "`", "```", "> ", "<!--", "-->", " ", "OKR: ", "O1", ", ",
     "[", "]", "(", "acme/web#3", "Revert \"", "MINOR - ", "https://a.test/browse/PAY-9", "é", "\u200b", "*", "    "]
)  # fmt: skip
texts = st.lists(words, max_size=25).map("".join)


@given(texts, texts, texts)
@examples(200)
def test_reading_twice_gives_the_same(title, body, branch):
    once = read_text(pull_request(title=title, body=body, branch=branch), PROJECTS)
    assert read_text(once, PROJECTS) == once
    assert all(not r.structural for r in once.references)


ties = st.builds(
    "{}{}{}O1\n".format,
    st.sampled_from(["", "o<!-- x -->", "**", "é", "> "]),
    st.sampled_from(["kr", "OKR", "\u212aR", "Initiative", "\u0131nitiative", "ObjectiVe"]),
    st.sampled_from([":", " : ", "<!-- x -->: ", " "]),
)


@examples(300)
@given(st.lists(ties, max_size=2).map("".join))
def test_trailers_are_the_same_on_all_kinds_of_work(body):
    """Issues are looked through in a quicker way than pull requests."""
    assert trailers(body) == [(t.kind, *t.ids) for t in read_text(pull_request(body=body), PROJECTS).trailers]


@pytest.mark.parametrize(
    "piece",
    ["fixes ", "[PAY-1", "`", "``` ", "PAY-1/2", "A", "A-", "a_", "> ", "<!--", "Fixes PAY-1, ", "OKR: ", "OKR: a,", " ", "\t",
     "\n", "\n`", "- ", "*", "_", "fixes http://a/", "Jira: , ", "fixes ([", "Revert \"", "fixes:\n", "(", "#1", "browse/"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_read_in_linear_time(piece):
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    read_text(pull_request(title=text, body=text, branch=text), PROJECTS)
    lines = "\n".join(text[i : i + 3000] for i in range(0, len(text), 3000))
    read_text(pull_request(body=lines), PROJECTS)
    assert time.process_time() - started < 10  # far above what it takes; quadratic time would be minutes


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded titles are not at {DATA}")
def test_precision_and_recall_on_real_titles():
    hits = false = missed = 0
    for line in (DATA / "pull_requests.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["judged"] == "either":
            continue
        found = read_text(pull_request(title=row["title"]), {"KAFKA": "jira"}).references
        got = {r.target.partition(":")[2] for r in found}
        own = {key for key in row["own_keys"] if key.startswith("KAFKA-")}
        hits, false, missed = hits + len(got & own), false + len(got - own), missed + len(own - got)
    assert hits > 2000
    assert hits / (hits + false) >= 0.995
    assert hits / (hits + missed) >= 0.99
