"""What a pull believes, what it suspects, and that one slow source costs the others nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from fake_tracker import FakeTracker
from okrsync import config, reading, store
from okrsync.bootstrap import Session
from okrsync.domain.trackers import Batch, Fetched, SliceState, SourceFailed, Tracker
from okrsync.domain.work import Kind, Reference, Via, WorkItem
from okrsync.sandbox import STORY_NOW, example_workspace
from product import Product, StoryClock


def configure(product: Product, connector: str, pattern: str, replacement: str) -> None:
    path = product.root / "connectors" / f"{connector}.yaml"
    text, count = re.subn(pattern, replacement, path.read_text("utf-8"), flags=re.MULTILINE)
    assert count
    path.write_text(text, "utf-8")


def source(product: Product, name: str, *args: str) -> tuple[int, bool, str]:
    """Exit code of a sync, and whether the source was read, with its error."""
    ran = product.sync(*args)
    row = next(s for s in ran.json["run"]["sources"] if s["name"] == name)
    return ran.exit, row["complete"], row["error"] or ""


def test_where_no_project_is_listed_the_keys_of_all_that_are_seen_count(product: Product) -> None:
    product.first_cycle()
    listed = product.alignments()
    assert any(i.startswith("github:") and a == "linked" for i, a in listed.items())
    configure(product, "jira", r"^projects:.*$", "projects: []")
    for path in product.root.glob("okrsync.db*"):
        path.unlink()
    product.run("pull")
    assert product.alignments().items() >= listed.items()

    for project in product.sandbox.world.jira.projects.values():
        project.visible = False
    product.sync()
    after = product.alignments()
    assert not [i for i in listed if after[i] == "unlinked" != listed[i]], "on the account of what is seen no longer"


@pytest.mark.parametrize("found_by", ["full listing", "daily sweep", "canary"])
def test_what_is_suspect_stays_so_until_it_is_accepted(product: Product, found_by: str) -> None:
    product.first_cycle()
    product.sync()
    world = product.sandbox.world
    held = [k for k in product.alignments() if k.startswith("jira:PAY-")]
    for key in held if found_by == "canary" else held[1:]:
        if world.jira.find(key.partition(":")[2]) is not None:
            world.jira.delete(world.find(key))  # takes its sub-tasks along
    if found_by == "daily sweep":
        product.clock.advance(hours=25)
    for args in [("--full",), ()] if found_by == "full listing" else [(), ()]:
        code, complete, error = source(product, "jira", *args)
        assert (code, complete) == (3, False)
        assert "--accept-shrink" in error
    assert source(product, "jira", "--accept-shrink")[1:] == (True, "")
    assert len([i for i in product.alignments() if i in held]) <= 1
    assert source(product, "jira") == (0, True, "")


def test_a_source_that_uses_up_its_time_does_not_cost_the_others_theirs(tmp_path: Path) -> None:
    clock = StoryClock()
    read = threading.Event()

    class Quick(FakeTracker):
        def pull(self, slices: Mapping[str, SliceState], *, full: bool = False, sweep: bool = False) -> Iterator[Batch]:
            yield from super().pull(slices, full=full, sweep=sweep)
            read.set()

        def fetch(self, ids: Sequence[str]) -> Fetched:
            if clock() >= session.deadline:
                raise SourceFailed("not sent: the time for this run is used up")
            return Fetched(missing=tuple(ids))

    class Slow(FakeTracker):
        def pull(self, slices: Mapping[str, SliceState], *, full: bool = False, sweep: bool = False) -> Iterator[Batch]:
            assert read.wait(10)
            clock.advance(minutes=31)
            raise SourceFailed("not read in time")
            yield

    quick, slow = Quick("jira", definitions=False), Slow("github")
    parent = Reference(via=Via.PARENT, target="jira:EXT-1", structural=True)
    times = {"created": STORY_NOW - timedelta(days=2), "updated": STORY_NOW - timedelta(days=1)}
    quick.add(
        WorkItem(
            id="jira:PAY-1", uid="jira:1", connector="jira", key="PAY-1", container="PAY", kind=Kind.ISSUE,
            title="A child", url="", references=(parent,), **times,
        )
    )  # fmt: skip

    class Pretended(Session):
        def trackers(self) -> dict[str, Tracker]:
            return {"jira": quick, "github": slow}

    with ExitStack() as stack:
        workspace = config.load(example_workspace(), env={})
        session = Pretended(
            workspace,
            partial(store.open_store, f"sqlite:///{tmp_path}/okrsync.db", label_prefix="okr/", clock=clock),
            env={},
            clock=clock,
            sleep=clock.sleep,
            cycle=None,
            stack=stack,
        )
        pulled = reading.pull(session)
        assert {s.name: (s.complete, s.error) for s in pulled.sources} == {
            "jira": (True, None),
            "github": (False, "not read in time"),
        }
        assert clock() < session.deadline, "and there is time to write"
