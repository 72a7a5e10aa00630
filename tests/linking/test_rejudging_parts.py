"""What is kept of a judgement in pieces is found, and put together again, as if it were in one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from examples import examples
from okrsync import reports
from okrsync.rejudging.ids import Ids
from okrsync.rejudging.told import Told, apart, changed, mended, texts, together

# so many of a thousand
some_ids = st.builds(
    lambda many, chance: {f"jira:{'PÜ'[n % 2]}-{n}" for n in chance.sample(range(1000), many)},
    st.integers(0, 400),
    st.randoms(),
)


@given(ids=some_ids, more=some_ids, cuts=st.integers(1, 12), shuffled=st.randoms() | st.none())
@examples(200)
def test_an_id_is_found_at_its_place(ids, more, cuts, shuffled):
    whole = sorted(ids)
    held = [id_ for n in range(cuts) for id_ in whole[n::cuts]]  # so many stretches that are sorted
    if shuffled:
        shuffled.shuffle(held)
    kept = Ids.of(held)
    added = [id_ for id_ in more if kept.find(id_) is None]
    assert set(added) == more - ids
    assert [kept.add(id_) for id_ in added] == list(range(len(held), len(held) + len(added)))
    every = [*held, *added]
    kept = structs.replace(kept)  # as it is read again
    assert [kept[place] for place in range(len(kept))] == every
    assert [kept.find(id_) for id_ in every] == list(range(len(every)))
    assert kept.find("jira:P-1001") is None


a_group = st.sampled_from([(0, "OKR101", "issue"), (0, "OKR101", "pull_request"), (1, "OKR103", "issue")])


def a_list(most):
    return st.dictionaries(st.tuples(a_group, some_ids_of), st.text(max_size=3), max_size=most)


some_ids_of = st.integers(0, 120).map(lambda n: f"jira:P-{n}")


def told_of(known):
    texts = {key: json.dumps({"message": text, "since": 0}, indent=2)[:-3].encode() for key, text in known.items()}
    return [Told(group, id_, texts[group, id_]) for group, id_ in known]


def content(told: Iterable[Told]) -> list[tuple[object, str, bytes]]:
    return [(one.group, one.id, bytes(one.text)) for one in told]


@given(known=a_list(200), rounds=st.lists(st.tuples(st.sets(some_ids_of), a_list(30)), max_size=3))
@examples(200)
def test_findings_are_replaced_among_others_in_their_order(known, rounds):
    found = together(told_of(known))
    for gone, others in rounds:
        known = {key: text for key, text in known.items() if key[1] not in gone}
        added = {key: text for key, text in others.items() if key not in known}
        found = changed(found, gone, told_of(added))
        known |= added
    expected = content(sorted(told_of(known), key=lambda one: (one.group, one.id)))
    assert content(apart(found)) == expected
    assert found.keys() == {group for group, _ in known}
    stretches = [some for of in found.values() for some in of]
    assert sum(some.number for some in stretches) == len(known)
    assert all(some.text == reports.joined([text for _, text in some.apart()]) for some in stretches)
    whole = mended(found)
    assert content(apart(whole)) == expected
    assert all(one.number + other.number > 16 for of in whole.values() for one, other in pairwise(of))


def test_since_when_it_is_open_stands_behind_each():
    group = (0, "OKR101", "issue")
    found = together([Told(group, "jira:P-1", b'{"since": '), Told(group, "jira:P-2", b'{"id": 2, "since": ')])
    assert [bytes(text) for text in texts(found, {})] == [b'{"since": null\n    },\n{"id": 2, "since": null']
    since = {("OKR101", "issue", "jira:P-2"): "2026-11-01T00:00:00Z"}
    assert [bytes(text) for text in texts(found, since)] == [
        b'{"since": null\n    },\n{"id": 2, "since": "2026-11-01T00:00:00Z"'
    ]
    assert len(b"null\n    },\n") == reports.BETWEEN
