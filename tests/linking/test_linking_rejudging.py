"""What did not change is not judged again, and the findings are those that judging everything gives."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_world import DONE, LONG_DONE, a_piece, a_session, fill, more, stored, text_of, told, work
from linking_world import NOW
from msgspec import structs
from test_linking_properties import NOWHERE, PLACES

from databases import database_url
from examples import examples
from okrsync import judging, rejudging
from okrsync.domain.findings import Severity
from okrsync.domain.trackers import Batch
from okrsync.rejudging.memory import location, recall, remember
from okrsync.rejudging.told import apart, together

__all__ = ["database_url"]
FILES = text_of(ages=False)


def again(session, **more):
    found = rejudging.findings(session, fewest=0, share=10, **more)
    told = json.loads(b"".join(found.texts))
    # `--fail-on` asks which there are: none has the number 0
    assert dict(found.severities) == dict(Counter(Severity(f["severity"]) for f in told["findings"]))
    return told


def anew(session):
    return told(judging.judge(session))


def save(session, *items, gone=()):
    for item in items:
        session.store.save_batches(item.connector, [Batch(slice="all", items=(item,))], read_at=NOW)
    session.store.tombstone(gone)


a_place = st.sampled_from(PLACES)
SAID = ["web", "old", "kr:O1.KR2", "objective:O2", "initiative:INIT-OLD", "initiative:NOPE", "exempt:parity", "okr/O1"]
a_way = st.tuples(st.sampled_from(["parent", "closes", "key"]), st.sampled_from([*PLACES, *NOWHERE]))
an_act = (
    st.tuples(st.just("label"), a_place, st.sampled_from(SAID))
    | st.tuples(st.just("lead"), a_place, st.lists(a_way, max_size=2, unique=True))
    | st.tuples(st.just("retitle"), a_place, st.sampled_from(["Upgrade Netty", "Something", "P-1: a change"]))
    | st.tuples(st.just("end"), a_place, st.sampled_from(["open", "done", "dropped", "long done", "archived"]))
    | st.tuples(st.just("bury"), a_place, st.none())
    | st.tuples(st.sampled_from(["put", "put", "chase"]), a_place, st.tuples(a_piece, more))
    | st.tuples(st.just("move"), a_place, st.sampled_from(["jira:M-1", "jira:OLD-9", "jira:LATER-1"]))
)
ENDS = {
    "open": {"state": "open"},
    "done": {**DONE, "dropped": False},
    "dropped": {**DONE, "dropped": True},
    "long done": LONG_DONE,
    "archived": {"archived": True},
}


@st.composite
def a_tree(draw):
    """Work most of which hangs on other work and says little itself."""
    order = draw(st.permutations(PLACES))
    items = []
    for n, id_ in enumerate(order):
        ways = [("parent", order[draw(st.integers(0, n - 1))])] if n and draw(st.integers(0, 5)) else []
        ways += draw(st.lists(a_way, min_size=1, max_size=1)) if not draw(st.integers(0, 5)) else []
        labels = [draw(st.sampled_from(SAID))] if not draw(st.integers(0, 3)) else []
        ended = draw(st.sampled_from([*["open"] * 6, *ENDS]))
        items.append(work(id_, *dict.fromkeys(ways), labels=labels, **ENDS[ended]))
    return [item for item in items if draw(st.integers(0, 7))]


def do(session, act):
    what, id_, how = act
    held = {s.item.id: s.item for s in session.store.items()}
    if what in ("put", "chase"):
        counted, chased = stored({id_: (*how, 0 if what == "chase" else 1)})
        save(session, *(item for items in counted.values() for item in items))
        session.store.save_chased(chased, read_at=NOW, moved={})
    elif id_ not in held:
        return
    elif what == "retitle":
        save(session, structs.replace(held[id_], title=how))
    elif what == "lead":
        save(session, structs.replace(held[id_], references=work(id_, *how).references))
    elif what == "end":
        save(session, structs.replace(held[id_], **ENDS[how]))
    elif what == "bury":
        save(session, gone=[held[id_].uid])
    elif what == "move" and id_.startswith("jira:"):
        save(session, structs.replace(held[id_], id=how, key=how.partition(":")[2]))
    elif what == "label":
        has = how in held[id_].labels
        session.store.note_labels(held[id_].uid, added=[] if has else [how], removed=[how] if has else [])


# What was done, and whether how things stand then is kept.
a_run = st.tuples(st.lists(an_act, max_size=3), st.booleans())


@given(tree=a_tree(), runs=st.lists(a_run, min_size=1, max_size=6), by_body=st.booleans())
@examples(160)
def test_whatever_changes_the_findings_are_those_of_judging_everything(tree, runs, by_body):
    with TemporaryDirectory() as folder, a_session(folder, text_of(ages=False, by_body=by_body)) as session:
        counted = {name: [i for i in tree if i.connector == name] for name in ("jira", "github")}
        fill(session, counted, [work("jira:P-6", labels=["kr:O1.KR1"])])
        assert again(session) == anew(session)
        for acts, keeps in runs:
            for act in acts:
                do(session, act)
            assert again(session, little=0 if keeps else 1000) == anew(session)


def kept_of(session):
    return recall(location(session))


def tampered(session):
    """What is kept, with findings that say so: only what is judged again loses that."""
    kept = kept_of(session)
    told = list(apart(kept.found))
    for one in told:
        one.text = bytes(one.text).replace(b'"message": "', b'"message": "KEPT ')
    kept.found = together(told)
    remember(location(session), kept)


def not_judged(session):
    """Ids of the items whose findings were taken over, and of those whose findings were made again."""
    found = [(f["subject"]["id"], f["message"].startswith("KEPT ")) for f in again(session)["findings"]]
    items = [(id_, old) for id_, old in found if ":" in id_ and not id_.startswith("exempt:")]
    return {id_ for id_, old in items if old}, {id_ for id_, old in items if not old}


UNLINKED = {f"jira:P-{n}" for n in (2, 3, 4, 5)}


@contextmanager
def a_line(*, changed=None, **more):
    """P-5 below P-4 below P-3 below P-2, all without a goal, P-1 with one; judged once."""
    items = {f"jira:P-{n}": [("parent", f"jira:P-{n - 1}")] if n > 2 else [] for n in range(1, 6)}
    made = {id_: work(id_, *ways) for id_, ways in items.items()}
    with TemporaryDirectory() as folder, a_session(folder, {**FILES, **more}) as session:
        fill(session, {"jira": [item for id_, item in made.items() if id_ != changed], "github": []})
        again(session)
        tampered(session)
        yield session, made


def test_what_did_not_change_is_taken_over():
    with a_line() as (session, _):
        assert not_judged(session) == (UNLINKED, set())


@pytest.mark.parametrize(
    ("changes", "taken_over", "judged"),
    [
        ({"title": "Another"}, {2, 3, 5}, {4}),
        ({"labels": ("kr:NOPE",)}, {2, 3}, {4, 5}),
        ({"labels": ("okr/O1", "size-2")}, {2, 3, 5}, {4}),
        ({"references": ()}, {2, 3}, {4, 5}),
        ({"state": "closed", "closed_at": NOW}, {2, 3}, {5}),  # the item itself is no longer told of
        ({"title": "Upgrade Netty", "author": "lin"}, {2, 3}, set()),  # a rule exempts it, and what is below it
    ],
)
def test_what_changed_is_judged_again_with_what_hangs_on_it(changes, taken_over, judged):
    with a_line() as (session, made):
        save(session, structs.replace(made["jira:P-4"], **changes))
        kept, again_judged = not_judged(session)
        assert (kept, again_judged) == ({f"jira:P-{n}" for n in taken_over}, {f"jira:P-{n}" for n in judged})


def test_what_is_gone_or_comes_back_is_missed_and_found_by_those_below_it():
    with a_line() as (session, made):
        save(session, gone=[made["jira:P-4"].uid])
        assert not_judged(session) == ({"jira:P-2", "jira:P-3"}, set())  # what is below it cannot be told
        assert again(session)["summary"]["unknown"] == 1
        save(session, made["jira:P-4"])
        assert not_judged(session) == ({"jira:P-2", "jira:P-3"}, {"jira:P-4", "jira:P-5"})
        assert again(session)["summary"]["unknown"] == 0


@pytest.mark.parametrize("way", [("key", "jira:P-99"), ("parent", "jira:P-99"), ("parent", "jira:P-4"), None])
def test_what_is_above_is_asked_of_the_store_where_what_was_kept_does_not_tell_enough(way):
    """It refers to what is not there, or to itself, or is gone itself."""
    with a_line() as (session, made):
        location(session).unlink()
        save(session, work("jira:P-6"), *([work("jira:P-4", way)] if way else []))
        again(session)
        save(session, gone=[] if way else [made["jira:P-4"].uid])
        again(session)
        save(session, *(work(f"jira:P-{n + 3}", ("parent", f"jira:P-{n}")) for n in (4, 6)))
        assert again(session) == anew(session)


def test_what_is_said_again_after_something_else_was_said_is_not_overlooked():
    with a_line() as (session, made):
        location(session).unlink()
        for said, exempt in (("exempt:parity", 2), ("kr:O1.KR2", 0), ("exempt:parity", 2)):
            save(session, structs.replace(made["jira:P-4"], labels=(said,)))
            assert again(session)["summary"]["exempt"] == exempt


def test_what_is_new_is_judged_alone():
    with a_line(changed="jira:P-1") as (session, made):
        for _ in range(2):  # there is room for one more, and none for two
            save(session, made["jira:P-1"], work("jira:P-6"))
            assert not_judged(session) == (UNLINKED, {"jira:P-6"})


def test_the_top_of_a_tree_is_told_anew_where_that_is_closed():
    with a_line() as (session, made):
        save(session, structs.replace(made["jira:P-2"], state="closed", closed_at=NOW))
        told_of = {
            f["subject"]["id"]: f["evidence"]["root"] for f in again(session)["findings"] if f["code"] == "OKR101"
        }
        assert told_of == dict.fromkeys(["jira:P-3", "jira:P-4", "jira:P-5"], "jira:P-3")


def test_what_is_above_and_was_never_asked_is_remembered():
    """A closed top, of which no rule was asked as nothing open was below it."""
    with a_line() as (session, _):
        location(session).unlink()
        top = work("jira:P-8", title="Top", **LONG_DONE)
        save(session, top)
        again(session)
        save(session, work("jira:P-7", ("parent", "jira:P-8")))
        assert again(session) == anew(session)
        save(session, structs.replace(top, title="Upgrade Netty", author="lin"))
        assert again(session) == anew(session)
        assert again(session)["summary"]["exempt"] == 1


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("config/okrs/q4.yaml", "Checkout keeps merchants", "Checkout keeps all merchants"),
        ("mappings/rules.yaml", "kind: [issue, epic]", "kind: [issue]"),
        ("config/okrsync.yaml", "store:", "rules: {ignore: [OKR103]}\nstore:"),
        ("connectors/github.yaml", "repos: [a/b]", "repos: [a/b, a/c]"),
    ],
)
def test_under_other_goals_rules_or_settings_all_is_judged_anew(name, old, new):
    with a_line() as (session, _):
        assert old in FILES[name]
        root = session.workspace.root
        with a_session(root, {**FILES, name: FILES[name].replace(old, new)}) as other:
            kept, judged = not_judged(other)
            same = name.startswith("connectors/")  # nothing that is judged hangs on which repositories are read
            assert (kept, judged) == ((UNLINKED, set()) if same else (set(), UNLINKED))


def test_on_another_day_all_is_judged_anew():
    with a_line() as (session, _):
        with a_session(session.workspace.root, FILES, clock=lambda: NOW + timedelta(hours=1)) as later:
            assert not_judged(later) == (UNLINKED, set())
        with a_session(session.workspace.root, FILES, clock=lambda: NOW + timedelta(days=1)) as later:
            assert not_judged(later) == (set(), UNLINKED)


@pytest.mark.parametrize("content", [b"", b"no judgement", b"\x80"])
def test_what_cannot_be_read_is_judged_anew(content):
    with a_line() as (session, _):
        location(session).write_bytes(content)
        assert not_judged(session) == (set(), UNLINKED)
        assert kept_of(session) is not None


def test_of_another_database_nothing_is_taken_over():
    with a_line() as (session, _), a_line() as (other, _):
        shutil.copy(location(session), location(other))
        assert not_judged(other) == (set(), UNLINKED)


def test_it_is_kept_beside_the_database_or_in_the_folder_for_state(database_url, tmp_path):
    env = {"OKRSYNC_STORE": database_url, "OKRSYNC_STATE": str(tmp_path / "state")}
    (tmp_path / "state").mkdir()
    with a_session(tmp_path / "workspace", FILES, env=env) as session:
        fill(session, {"jira": [work("jira:P-2"), work("jira:P-3", ("parent", "jira:P-2"))], "github": []})
        again(session)
        assert (tmp_path / "state" / "okrsync.judged").exists() is database_url.startswith("postgresql")
        tampered(session)
        save(session, work("jira:P-3", ("parent", "jira:P-2"), title="Another"))
        assert not_judged(session) == ({"jira:P-2"}, {"jira:P-3"})
    if database_url.startswith("postgresql"):
        with a_session(tmp_path / "workspace", FILES, env={"OKRSYNC_STORE": database_url}) as session:
            assert location(session) is None
            assert again(session) == anew(session)


def test_nothing_is_kept_of_an_incomplete_reading_or_of_little():
    for source in ({"complete": False}, {"complete": True, "unreadable": ["P"]}):
        with a_line() as (session, _):
            location(session).unlink()
            session.store.set_meta("sources", json.dumps([{"name": "jira", **source}, {"name": "github", **source}]))
            again(session)
            assert kept_of(session) is None
    with a_line() as (session, _):
        location(session).unlink()
        rejudging.findings(session)
        assert kept_of(session) is None


def test_where_a_rule_asks_for_the_time_all_is_judged_anew():
    with TemporaryDirectory() as folder, a_session(folder, text_of()) as session:
        fill(session, {"jira": [work("jira:P-2")], "github": []})
        assert again(session) == anew(session)
        assert kept_of(session) is None


def test_a_severity_of_which_nothing_is_left_is_none():
    """For `--fail-on`, which asks whether there are any."""
    settings = FILES["config/okrsync.yaml"] + "rules: {severity: {OKR103: info}}\n"
    with TemporaryDirectory() as folder, a_session(folder, {**FILES, "config/okrsync.yaml": settings}) as session:
        fill(session, {"jira": [work("jira:P-1", labels=["kr:O1.KR1", "initiative:NOPE"])], "github": []}, [])
        assert "info" in {f["severity"] for f in again(session)["findings"]}
        do(session, ("label", "jira:P-1", "initiative:NOPE"))
        assert "info" not in {f["severity"] for f in again(session)["findings"]}
