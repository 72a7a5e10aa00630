"""Remote links: a pull request inherits from the issues that link to it, as if it named them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_world import BOARDS, a_world
from judging_world import stored as stored_apart
from linking_world import context, stored
from msgspec import structs
from test_linking_judging import judged_both_ways
from test_linking_properties import ALIASES, GOALS, PLACES, UNREACHABLE, comparable, rules_of, slow
from test_linking_properties import a_world as a_small_world

from examples import examples
from okrsync.domain.links import Alignment
from okrsync.domain.work import Kind, StoredItem
from okrsync.linking import RemoteLinks, pull_request, resolve

# what an issue links to -> the pull request that this means, if it is one
LINKS = {
    "example.test/a/b#1": "github:a/b#1",
    "example.test/A/b#2": "github:a/b#2",
    "example.test/old/b#3": "github:a/b#3",
    "example.test/a/b#99": None,
    "elsewhere.test/a/b#1": None,
}
ISSUES = [id_ for id_ in PLACES if id_.startswith("jira:")]
OLD = {"github:old/b#3": "github:a/b#3"}
READ = {"jira": lambda container: container == "P"}

some_links = st.dictionaries(st.sampled_from(ISSUES), st.sets(st.sampled_from(list(LINKS)), max_size=3))
a_context = st.builds(
    lambda failed, containers: context(
        failed=frozenset(failed),
        failed_containers=frozenset(containers),
        unreachable=UNREACHABLE,
        aliases={**ALIASES, **OLD},
    ),
    st.sampled_from([(), (), (), ("github",), ("jira",)]),
    st.sampled_from([(), (), (), (("jira", "P"),), (("jira", "Q"),)]),
)


def items_of(world, links, issues=()):
    """By id; whatever GitHub has is a pull request but for `issues`."""
    held = {}
    for id_, said in world.items():
        kind = Kind.PULL_REQUEST if id_.startswith("github:") and id_ not in issues else Kind.ISSUE
        more = {"kind": kind, "remote_links": tuple(sorted(links.get(id_, ())))}
        held[id_] = stored(id_, *said["refs"], labels=said["labels"], milestone_body=said["milestone"], **more)
    return held


def tied(held, ctx, read=READ) -> dict[str, StoredItem]:
    return RemoteLinks(read, ctx).all_tied(held)


def judged(held, ctx, rules, read=READ):
    return resolve(tied(held, ctx, read).values(), GOALS, rules, ctx)


@given(a_small_world, some_links, a_context, st.sets(st.sampled_from(["github:a/b#1", "github:a/b#2"])))
@examples(200)
def test_it_is_as_if_the_pull_request_named_the_issue(world, links, ctx, issues):
    """Compared with the slow reading, where each link is a reference of the pull request."""
    naming = {id_: {**said, "refs": list(said["refs"])} for id_, said in world.items()}
    pulls = [id_ for id_ in world if id_.startswith("github:") and id_ not in issues]
    for id_ in pulls:
        naming[id_]["refs"] += [
            ("closes", issue)
            for issue, theirs in links.items()
            if issue in world and any(LINKS[link] == id_ for link in theirs)
        ]
        if "jira" in ctx.failed or ("jira", "P") in ctx.failed_containers:
            naming[id_]["refs"].append(("closes", "jira:anything"))  # which nobody could read
    for id_, verdict in judged(items_of(world, links, issues), ctx, rules_of(world)).items():
        fast, expected = list(comparable(verdict)), list(slow(naming, ctx, id_))
        if expected[2]:
            assert fast[2] in expected[2]
            fast[2] = expected[2] = None
        assert fast == expected, id_


@given(a_small_world, some_links, a_context, st.randoms(use_true_random=False))
@examples(100)
def test_the_order_of_input_does_not_matter(world, links, ctx, chance: random.Random):
    held = items_of(world, links)
    once = judged(held, ctx, rules_of(world))
    shuffled = list(held.items())
    chance.shuffle(shuffled)
    assert list(judged(dict(shuffled), ctx, rules_of(world)).items()) == list(once.items())


@given(a_small_world, some_links, a_context)
@examples(50)
def test_where_nothing_is_read_nothing_counts(world, links, ctx):
    held = items_of(world, links)
    for read in ({}, {"jira": lambda _: False}, {"other": lambda _: True}):
        assert tied(held, ctx, read) == held or "jira" in ctx.failed


a_link = st.dictionaries(
    st.sampled_from(ISSUES), st.sets(st.sampled_from([f"github.com/a/{b}#{n}" for n in (1, 2, 3, 9) for b in "bB"]))
)


@given(
    world=a_world,
    links=a_link,
    linked=st.sampled_from(["true", "[P]", "[Q]"]),
    failed=st.sampled_from([(), (), ("github",), ("jira",)]),
    board=st.sampled_from(BOARDS),
    unreadable=st.sampled_from([(), (), (("jira", "P"),), (("github", "a/b"), ("jira", "Q"))]),
    older=st.just([]) | st.lists(st.sampled_from(PLACES), unique=True),
    by_body=st.booleans(),
)
@examples(160)
def test_findings_are_the_same_without_keeping_items(world, links, linked, failed, board, unreadable, older, by_body):
    counted, chased = stored_apart(world)
    counted["jira"] = [structs.replace(i, remote_links=tuple(sorted(links.get(i.id, ())))) for i in counted["jira"]]
    pages = {i.id: f"https://github.com/{i.key.replace('#', '/pull/')}" for i in (*counted["github"], *chased)}
    counted["github"] = [structs.replace(i, url=pages[i.id]) for i in counted["github"]]
    chased = [structs.replace(i, url=pages[i.id]) for i in chased]
    ways = {"unreadable": unreadable, "older": older, "by_body": by_body, "linked": linked}
    whole, slim = judged_both_ways(counted, chased, failed, board, **ways)
    assert slim == whole


def held_of(*some):
    return {one.item.id: one for one in some}


def pr(*refs, number=1, **more):
    url = f"https://github.com/acme/web/pull/{number}"
    return stored(f"github:acme/web#{number}", *refs, kind=Kind.PULL_REQUEST, url=url, **more)


def ticket(number=1, *links, **more):
    return stored(f"jira:P-{number}", remote_links=links or ("github.com/acme/web#1",), **more)


def one_verdict(*some, ctx=None, id_="github:acme/web#1"):
    return judged(held_of(*some), ctx or context(), {})[id_]


def test_the_path_says_where_the_link_stands():
    verdict = one_verdict(pr(), ticket(labels=["initiative:INIT-1"]))
    (hop, *_) = verdict.path
    assert (hop.origin, hop.via, hop.to, hop.detail) == ("github:acme/web#1", "key", "jira:P-1", "remote link")


def test_what_the_pull_request_says_itself_is_shown_first_and_said_once():
    verdict = one_verdict(pr(("key", "jira:P-1")), ticket(labels=["initiative:INIT-1"]))
    assert [hop.detail for hop in verdict.path[:1]] == ["said so (key)"]
    (item,) = (s.item for id_, s in tied(held_of(pr(("key", "jira:P-1")), ticket()), context()).items() if "#" in id_)
    assert len(item.references) == 1


def test_what_is_farther_loses_and_is_told():
    own = pr(labels=["initiative:INIT-2"])
    verdict = one_verdict(own, ticket(2, labels=["initiative:INIT-1"]))
    assert [target.initiative for target in verdict.targets] == ["INIT-2"]
    assert [(lost.origin, lost.to, lost.why) for lost in verdict.lost] == [
        ("jira:P-2", "INIT-1", "farther than the item's own label")
    ]


def test_a_chased_issue_links_to_nothing_and_a_missing_pull_request_is_nothing():
    chased = ticket(labels=["initiative:INIT-1"], chased=True)
    assert one_verdict(pr(), chased).alignment is Alignment.UNLINKED
    alone = judged(held_of(ticket(labels=["initiative:INIT-1"])), context(), {})
    assert [v.alignment for v in alone.values()] == [Alignment.LINKED]


def test_two_connectors_of_one_host_have_different_pull_requests():
    other = stored("second:acme/app#1", kind=Kind.PULL_REQUEST, url="https://github.com/acme/app/pull/1")
    ctx = context(connectors=frozenset({"jira", "github", "second"}))
    held = (pr(), other, ticket(1, "github.com/acme/app#1", labels=["initiative:INIT-1"]))
    assert one_verdict(*held, ctx=ctx, id_="second:acme/app#1").alignment is Alignment.LINKED
    assert one_verdict(*held, ctx=ctx).alignment is Alignment.UNLINKED


@pytest.mark.parametrize(("label", "alignment"), [((), Alignment.UNKNOWN), (("initiative:INIT-2",), Alignment.LINKED)])
def test_where_issues_could_not_be_read_only_what_is_nearer_decides(label, alignment):
    ctx = context(failed=frozenset({"jira"}))
    verdict = one_verdict(pr(labels=label), ctx=ctx)
    assert verdict.alignment is alignment
    if not label:
        assert verdict.why == "jira:* (key of github:acme/web#1) could not be read in this run"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/web/pull/12", "github.com/acme/web#12"),
        ("https://GitHub.com/Acme/Web.js/pull/12/commits/0a1b?w=1#r1", "github.com/Acme/Web.js#12"),
        ("http://www.github.com/acme/web/pull/12/", "github.com/acme/web#12"),
        ("https://github.com:443/acme/web/pull/12", "github.com/acme/web#12"),
        ("https://ghe.acme.example:8443/a_b/web/pull/1", "ghe.acme.example:8443/a_b/web#1"),
        ("https://acme.ghe.com/acme/web/pull/12", "acme.ghe.com/acme/web#12"),
        ("https://github.com/acme/web/pull/012", None),
        ("https://github.com/acme/web/pull/12a", None),
        ("https://github.com/acme/web/issues/12", None),
        ("https://github.com/acme/web/pulls/12", None),
        ("https://github.com/x/acme/web/pull/12", None),
        ("https://me@github.com/acme/web/pull/12", None),
        ("https://github.com:99999/acme/web/pull/12", None),
        ("https://[github.com/acme/web/pull/12", None),
        ("ftp://github.com/acme/web/pull/12", None),
        ("javascript://github.com/acme/web/pull/12", None),
        ("//github.com/acme/web/pull/12", None),
        ("github.com/acme/web/pull/12", None),
        ("https://github.com/acme/web/pull/12" + "/" * 3000, None),
        ("", None),
    ],
)
def test_addresses(url, name):
    assert pull_request(url) == name


@given(st.text(max_size=80) | st.text(max_size=40).map("https://github.com/{}/pull/1".format))
@examples(200)
def test_no_address_is_too_odd(url):
    found = pull_request(url)
    assert found is None or found.count("#") == 1
