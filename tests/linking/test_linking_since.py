"""Where only recent work is asked of, it stands as it does where all is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import NOW, context, stored
from msgspec import structs
from test_linking_properties import GOALS, PLACES, a_context, a_world, items_of

from examples import examples
from okrsync.domain.links import NO_MATCH
from okrsync.domain.outlines import SUPPORTS_NOTHING, Outlines, outlined
from okrsync.linking import Resolution, standings_together

SINCE = NOW.date() - timedelta(days=40)
a_day = st.sampled_from([None, 5, 80, 80])  # closed so many days ago


def in_parts(held, size):
    """As a store shows them: some at a time."""
    for some in outlined(held):
        for first in range(0, len(some.ids), size):
            part = slice(first, first + size)
            whole = {n: some.whole[first + n] for n in range(len(some.ids[part]))}
            yield Outlines(some.connector, some.ids[part], some.targets[part], some.outlines[part], whole)


def judged(held, context, rules, size, **since):
    resolution = Resolution(in_parts(held.values(), size), GOALS, None, context, traced=False, **since)
    ends = resolution.ends(SINCE)
    asked = resolution.to_ask(ends)
    for id_ in asked:
        resolution.ask(held[id_].item, rules[id_] or NO_MATCH)
    told = resolution.to_tell(ends)
    together = standings_together(resolution, ends)
    ways = [together.ways[number] for number in together.numbers]
    listed = [structs.replace(s, telling=s.open and s.telling) for s in together.listed]
    counted = [id_ for id_, end in zip(resolution.ids, ends, strict=True) if end not in SUPPORTS_NOTHING]
    return ends, asked, told, ways, listed, {id_: resolution.verdict(held[id_].item) for id_ in counted}


@given(
    world=a_world,
    context=a_context,
    closed=st.fixed_dictionaries(dict.fromkeys(PLACES, a_day)),
    dropped=st.sets(st.sampled_from(PLACES), max_size=2),
    order=st.randoms(use_true_random=False),
    size=st.sampled_from([1, 2, 9]),
)
@examples(400)
def test_what_is_asked_of_stands_as_where_all_is(world, context, closed, dropped, order, size):
    held = {}
    for one in order.sample(items_of(world), len(world)):
        item = one.item
        days = closed[item.id]
        if days is not None:
            at = NOW - timedelta(days=days)
            item = structs.replace(item, state="closed", closed_at=at, dropped=item.id in dropped)
        held[item.id] = structs.replace(one, item=item)
    rules = {id_: w["rule"] for id_, w in world.items()}
    assert judged(held, context, rules, size, since=SINCE) == judged(held, context, rules, size)


@pytest.mark.parametrize("also", [(), [("key", "jira:P-40")]], ids=["one reference", "two"])
def test_with_open_work_that_stands_apart_what_is_above_is_listed(also):
    """Closed work, too: a finding may belong to what is open above that."""

    def ended(stored_item):
        closed = structs.replace(stored_item.item, state="closed", closed_at=NOW - timedelta(days=80))
        return structs.replace(stored_item, item=closed)

    held = [
        stored("jira:P-10", ("parent", "jira:P-20"), *also),
        ended(stored("jira:P-20", ("parent", "jira:P-30"), *also)),
        stored("jira:P-30"),
        ended(stored("jira:P-40")),
        stored("jira:P-50", ("parent", "jira:P-60"), *also),
        stored("jira:P-60", labels=["initiative:INIT-1"]),
    ]
    held = {one.item.id: one for one in held}
    *_, listed, _ = judged(held, context(), dict.fromkeys(held), 9, since=SINCE)
    assert [(s.id, s.parent) for s in listed] == [
        ("jira:P-10", "jira:P-20"),
        ("jira:P-20", "jira:P-30"),
        ("jira:P-30", None),
    ]
