"""Suggestions for unlinked work: what speaks for an initiative, in words; and that they hold still."""

from __future__ import annotations

import importlib.util
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import NOW, context, goals, stored
from test_linking_references import DATA, PROJECTS

from examples import examples
from okrsync.domain.work import Kind
from okrsync.linking import Suggester, read_text, resolve
from okrsync.linking.terms import terms

ONE = [
    stored(
        "jira:PAY-1", labels=["initiative:INIT-1"], title="Rebalance of the group coordinator is slow", author="ada"
    ),
    stored(
        "jira:PAY-2", labels=["initiative:INIT-1"], title="GroupCoordinator: metrics of the rebalance", author="ada"
    ),
]
TWO = [
    stored("jira:PAY-3", labels=["initiative:INIT-2"], title="Images load lazily", author="lin", components=("web",))
]
HELD = [*ONE, *TWO]


def suggested(item, held=HELD, **more):
    everything = [*held, item]
    ctx = context(projects=PROJECTS, **more)
    verdicts = resolve(everything, goals(), {}, ctx)
    return Suggester(goals(), everything, verdicts).of(item.item)


def said(item, held=HELD):
    return [(s.initiative, s.why) for s in suggested(item, held)]


def test_shared_words_are_told():
    found = suggested(stored("jira:X-1", title="Coordinator of consumer groups forgets members on rebalances"))
    assert [s.initiative for s in found] == ["INIT-1"]
    assert found[0].why == "shares 'coordinator, group, rebalance' with work of INIT-1"
    assert 0.1 <= found[0].score <= 1
    assert said(stored("jira:X-1", title="group coordinator: new rebalance"))[0][1] == (
        "shares 'group coordinator, rebalance' with work of INIT-1"
    )


def test_the_initiatives_own_title_and_key_results_count_without_any_work():
    assert said(stored("jira:X-1", title="Checkout on one page"), held=[])[0][0] == "INIT-1"


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (stored("jira:X-1", ("parent", "jira:PAY-9")), ("INIT-1", "other work of jira:PAY-9 belongs to INIT-1")),
        (stored("jira:X-1", epic="PAY-9"), ("INIT-1", "other work of jira:PAY-9 belongs to INIT-1")),
        (stored("jira:PAY-9", kind=Kind.EPIC), ("INIT-1", "work below it belongs to INIT-1")),
        (stored("jira:X-1", container="PAY", components=("web",)), ("INIT-2", "work on 'web' belongs to INIT-2")),
        (stored("jira:X-1", author="lin"), ("INIT-2", "its author's recent work belongs to INIT-2")),
    ],
)
def test_neighbours_are_told(item, expected):
    child = stored("jira:PAY-7", ("parent", "jira:PAY-9"), labels=["initiative:INIT-1"], title="-")
    assert said(item, [*HELD, child])[0] == expected


def test_a_key_with_a_typing_error_leads_to_what_its_ticket_serves():
    held = stored("jira:KAFKA-77", labels=["initiative:INIT-2"], title="-")
    slip = stored("github:acme/web#1", kind=Kind.PULL_REQUEST, title="KAKFA-77: x")
    assert said(slip, [held])[0] == (
        "INIT-2",
        "'KAKFA-77' in its title reads like jira:KAFKA-77, which serves INIT-2",
    )


def test_nothing_is_suggested_where_nothing_speaks_for_it():
    assert said(stored("jira:X-1", title="Something else entirely")) == []
    assert said(stored("jira:X-1", title="")) == []
    assert said(stored("jira:X-1", title="", author="dependabot", author_type="bot")) == []
    late = stored("jira:X-1", title="-", author="lin", created=NOW + timedelta(days=91))
    assert said(late) == [], "work of long ago says nothing"


def test_only_active_initiatives_are_suggested_and_three_at_most():
    held = [stored(f"jira:E-{n}", labels=[f"initiative:{i}"], title="lazy images") for n, i in enumerate(
        ["INIT-1", "INIT-2", "INIT-DONE", "INIT-JUST", "INIT-OLD"])]  # fmt: skip
    assert [i for i, _ in said(stored("jira:X-1", title="lazy images"), held)] == ["INIT-1", "INIT-2"]


def test_titles_of_restricted_work_are_not_told():
    held = [stored("jira:PAY-1", labels=["initiative:INIT-1"], title="Lay off the moon base", restricted=True)]
    assert said(stored("jira:X-1", title="The moon base"), held) == []


def test_words():
    assert terms("PAY-12: Fix NPE in GroupCoordinator (#1)") == ("npe", "group", "coordinator", "group coordinator")
    assert terms("Retries of retried groups") == terms("retry of retried group")
    assert terms("Processes, classes, batches, indexes and caches") == terms("process, class, batch, index and cache")
    assert set(terms("支付宝付款")) == {"支付", "付宝", "宝付", "付款"}
    assert terms("see https://acme.test/moon/base") == ("see",)
    assert terms("Remember the last card used first") == ("remember", "card"), "what any title may say"


some_titles = st.lists(
    st.sampled_from(["group", "coordinator", "rebalance", "image", "lazy", "page", "moon"]), max_size=5
)
some_work = st.lists(st.tuples(some_titles, st.sampled_from(["INIT-1", "INIT-2"])), max_size=5)


def world(work):
    return [
        stored(f"jira:W-{n}", labels=[f"initiative:{initiative}"], title=" ".join(words))
        for n, (words, initiative) in enumerate(work)
    ]


@given(some_work, some_titles, st.randoms(use_true_random=False))
@examples(100)
def test_the_order_of_work_does_not_matter(work, words, chance):
    item, held = stored("jira:X-1", title=" ".join(words)), world(work)
    once = suggested(item, held)
    chance.shuffle(held)
    assert suggested(item, held) == once


@given(some_work, some_titles, some_titles)
@examples(100)
def test_what_is_added_elsewhere_changes_nothing(work, words, other):
    item, held = stored("jira:X-1", title=" ".join(words)), world(work)
    once = suggested(item, held)
    assert suggested(item, [*held, stored("jira:Z-1", title=" ".join(other))]) == once, "other unlinked work"
    strange = stored("jira:Z-1", labels=["initiative:INIT-2"], title="zebra quagga")
    before, after = ({s.initiative: s for s in some} for some in (once, suggested(item, [*held, strange])))
    if next(iter(before), "") == "INIT-2":  # less alike now, if it is the first: what stood too far behind may show
        assert before.keys() <= after.keys() | {"INIT-2"}
        after = {id_: s for id_, s in after.items() if id_ in before}
    assert {**after, "INIT-2": None} == {**before, "INIT-2": None}


@given(st.text(max_size=60))
@examples(100)
def test_any_title_gives_an_answer(title):
    item = read_text(stored("jira:X-1", title=title).item, PROJECTS)
    assert len(suggested(stored("jira:X-1", title=item.title))) <= 3


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the recorded titles are not at {DATA}")
def test_real_titles_are_suggested_their_proposal_more_often_than_by_plain_tf_idf():
    path = Path(__file__).resolve().parents[2] / "bench" / "suggestions.py"
    spec = importlib.util.spec_from_file_location("suggestions", path)
    assert spec is not None
    assert spec.loader is not None
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    asked = [(t, others) for t, others in bench.read(DATA) if any(t.kips & o.kips for o in others)]
    ours, plain = bench.score(bench.ours, asked), bench.score(bench.tf_idf, asked)
    assert ours[0] >= max(0.65, plain[0])
    assert ours[1] >= max(0.8, plain[1])
