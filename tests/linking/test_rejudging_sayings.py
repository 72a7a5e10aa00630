"""What was kept of what items say is not read again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from tempfile import TemporaryDirectory

import pytest
from judging_world import a_session, fill, work
from linking_world import NOW
from msgspec import structs
from test_linking_rejudging import FILES, again, anew, save

from okrsync.domain.work import Command, Glimpse, Trailer
from okrsync.rejudging.sayings import Sayings
from okrsync.store.encoding import brief

COMMAND = Command(author="lin", entitled=True, text="/okr link O1.KR1", at=NOW, comment="7")
SAID = {
    "a label": {"labels": ("size-2", "kr:O1.KR1")},
    "a field": {"okr": ("O1.KR1",)},
    "a trailer": {"trailers": (Trailer(kind="kr", ids=("O1.KR1",)),)},
    "a milestone": {"milestone_body": "OKR: O1.KR1"},
}
MORE = {
    "a command": {"commands": (COMMAND,)},
    "two references": {"references": work("jira:P-2", ("parent", "jira:P-3"), ("key", "jira:P-5")).references},
}


def forget(session, id_):
    """Takes what an item says out of the database, without a word of that: only who reads it anew sees it."""
    (item,) = (s.item for s in session.store.items() if s.item.id == id_)
    with closing(sqlite3.connect(session.reading.file)) as database, database:
        silent = brief(structs.replace(item, labels=(), okr=(), trailers=(), milestone_body="", commands=()))
        database.execute("UPDATE items SET brief = ? WHERE id = ?", (silent, id_))


def is_read(item, *others):
    """Whether an item is read anew where another is put below it: without its words in the database, that is linked
    only by what was kept."""
    with TemporaryDirectory() as folder, a_session(folder, FILES) as session:
        fill(session, {"jira": [item, *others], "github": []}, [])
        again(session)
        save(session, work("jira:P-6", ("parent", item.id)))
        before = again(session, little=0)
        assert before == anew(session)
        forget(session, item.id)
        save(session, work("jira:P-7", ("parent", item.id)))
        return {0: True, 1: False}[again(session)["summary"]["linked"] - before["summary"]["linked"]]


@pytest.mark.parametrize("said", SAID.values(), ids=SAID.keys())
def test_what_is_above_need_not_be_read_to_know_what_it_says(said):
    assert not is_read(structs.replace(work("jira:P-2", ("parent", "jira:P-3")), **said), work("jira:P-3"))


@pytest.mark.parametrize("more", MORE.values(), ids=MORE.keys())
def test_what_says_more_than_is_kept_is_read(more):
    item = structs.replace(work("jira:P-2", ("parent", "jira:P-3"), labels=["kr:O1.KR1"]), **more)
    assert is_read(item, work("jira:P-3"), work("jira:P-5"))


def test_only_so_much_is_kept_of_what_is_said(monkeypatch):
    monkeypatch.setattr("okrsync.rejudging.sayings._MOST", 2)
    first = work("jira:P-1", labels=["kr:O1.KR2"])
    assert is_read(work("jira:P-2", labels=["kr:O1.KR1"]), first)
    assert not is_read(work("jira:P-2", labels=["kr:O1.KR2"]), first)
    assert is_read(structs.replace(work("jira:P-2"), milestone_body="OKR: O1.KR1\n" + "long " * 200))


def test_what_is_said_otherwise_has_another_number():
    silent, plain = work("jira:P-2", labels=["size-2"]), work("jira:P-2", labels=["kr:O1.KR1"])
    others = [structs.replace(plain, **more) for more in (*SAID.values(), *MORE.values()) if "labels" not in more]
    others.append(structs.replace(plain, commands=(COMMAND, structs.replace(COMMAND, text="/okr unlink"))))
    others.append(structs.replace(plain, references=MORE["two references"]["references"][::-1]))
    told = [
        *(Glimpse(item) for item in (silent, plain, *others)),
        *(Glimpse(i, chased=True) for i in (silent, plain, others[-1])),
    ]
    sayings = Sayings([])
    numbers = [sayings.number(one) for one in told]
    assert len(set(numbers)) == len(told)
    assert [n < 0 for n in numbers] == [False] * 5 + [True] * (len(told) - 5)
    assert [Sayings(sayings.packed).number(one) for one in told] == numbers
    same = work("jira:P-9", ("parent", "jira:P-3"), labels=["okr/linked", "kr:O1.KR1", "size-3"], title="Another")
    assert sayings.number(Glimpse(same)) == numbers[1]
