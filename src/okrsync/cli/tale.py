"""The story that `demo` tells, with the same calls that `sync`, `approve` and `plan` make."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .. import judging, linking, planning
from .. import sync as story
from ..bootstrap import Session, open_session
from ..domain.changes import Op, Plan
from ..domain.exits import FAILED
from ..domain.links import Alignment
from ..sandbox import STORY_NOW, Sandbox, StoryClock, company, copy_workspace
from ..sync import SyncResult
from .changing import say_result
from .common import say

_BOARD = "acme/strategy"
# The backlog is commented too, so that comments are seen at once; a real workspace spares it by default.
_OVERRIDES: dict[str, Any] = {
    "writeback": {"enabled": True, "comments": {"backlog": True}, "dashboard": f"github:{_BOARD}"}
}
_SHOWN = 8


class Demo:
    """One sandbox, one workspace, one clock that starts on the story's Monday."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.clock = StoryClock(STORY_NOW)
        self.world = company(STORY_NOW)
        # no connector names it, so what stands there is no work
        self.board = self.world.github.add_repo(_BOARD, private=True)
        self.sandbox = Sandbox(self.world, clock=self.clock)
        # nothing of the caller's settings or secrets leaks into the story
        self.env = {k: v for k, v in env.items() if not k.startswith("OKRSYNC_")}
        self.people = sorted(p.login for p in self.world.people.values() if not p.bot and p.login != self.world.bot)
        # markup is off: titles come from strangers
        self.console = Console(file=sys.stdout, markup=False, highlight=False, soft_wrap=True)

    def start(self) -> None:
        copy_workspace(self.folder, self.sandbox, overrides=_OVERRIDES)
        self.env |= {"OKRSYNC_JIRA_TOKEN": self.sandbox.token, "OKRSYNC_GITHUB_TOKEN": self.sandbox.token}

    @contextmanager
    def session(self) -> Iterator[Session]:
        with open_session(self.folder, env=self.env, clock=self.clock, sleep=self._sleep) as session:
            yield session

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def sync(self, approve: str | None = None) -> SyncResult:
        self.clock.advance(timedelta(minutes=15))
        with self.session() as session:
            return story.sync(session, approve=approve)

    def heading(self, text: str) -> None:
        say()
        self.console.rule(f"{self.clock():%A %H:%M}  {text}", align="left", style="bold")

    def snapshot(self) -> dict[str, Any]:
        """Tickets and pull requests by id; the dashboard is none."""
        items: dict[str, Any] = self.world.snapshot()["items"]
        return {id_: item for id_, item in items.items() if not id_.startswith(f"github:{_BOARD}#")}


def tell(folder: Path, env: Mapping[str, str]) -> int:
    """Tells the whole story in `folder`; the exit code is that of the gravest run."""
    tale = Demo(folder, env)
    with tale.sandbox:
        tale.start()
        return _tell(tale)


def _tell(tale: Demo) -> int:
    world = tale.world
    count = len(world.jira.issues) + len(world.github.nodes)
    say(f"A fictional company on loopback: Jira at {tale.sandbox.jira_url}, GitHub at {tale.sandbox.github_url}.")
    say(f"{count} tickets and pull requests, goals in {tale.folder / 'config'}. Real HTTP, a real database.")
    before = tale.snapshot()

    tale.heading("first run: okrsync sync")
    first = tale.sync()
    say_result(first, reports=False)
    if first.gate is None or not first.gate.refused:
        say("the safety gate should have refused this first run")
        return FAILED

    tale.heading("what it wants to do: okrsync plan")
    _plan(first.plan)

    tale.heading(f"reviewed: okrsync approve {first.plan.checksum} && okrsync sync")
    second = tale.sync(approve=first.plan.checksum)
    say_result(second, reports=False)
    labelled = tale.snapshot()
    say()
    _changes(tale, before, labelled)
    suggested = _comment(tale, second)
    _why(tale, second)
    _board(tale)

    tale.heading("people react")
    commanded = _react(tale, second, suggested)
    reacted = tale.snapshot()

    tale.heading("next run: only what should change does")
    third = tale.sync()
    say_result(third, reports=False)
    for held in third.plan.held:
        if "person" in held.why:
            say(f"left alone: {held.target}: {held.why}")
    _changes(tale, reacted, tale.snapshot())
    _answers(tale, commanded)

    tale.heading("and one more: nothing to do")
    writes = len(tale.sandbox.writes)
    fourth = tale.sync()
    say_result(fourth, reports=False)
    more = len(tale.sandbox.writes) - writes
    say(f"writes sent: {more}")

    report = next((p for p in fourth.reports if p.suffix == ".html"), None)
    say()
    say(f"The report for the leaders: {report}")
    program = sys.argv[0] if Path(sys.argv[0]).name == "okrsync" else "okrsync"
    say(f"Look around: {program} --workspace {tale.folder} findings | status | explain ID")
    ended = max(second.exit, third.exit, fourth.exit)
    return ended or (FAILED if more else 0)


def _changes(tale: Demo, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """What changed on the tickets, as a table of at most a few rows of each sort."""
    table = Table(show_header=True, header_style="bold", box=None, pad_edge=False)
    for column in ("ticket", "labels", "comment"):
        table.add_column(column, overflow="fold")
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for id_, now in after.items():
        was = before[id_]
        gained = [f"+{x}" for x in now["labels"] if x not in was["labels"]]
        lost = [f"-{x}" for x in was["labels"] if x not in now["labels"]]
        old = {c["id"]: c["body"] for c in was["comments"]}
        bodies = [_plain(c["body"]) for c in now["comments"] if old.get(c["id"]) != c["body"]]
        if gained or lost or bodies:
            row = (f"{id_} {_cut(now['title'], 40)}", " ".join(gained + lost), _cut(bodies[0], 90) if bodies else "")
            rows.setdefault(" ".join(x.split("/")[-1][:1] for x in gained) + ("c" if bodies else ""), []).append(row)
    total = sum(len(r) for r in rows.values())
    shown: list[tuple[str, str, str]] = []
    while len(shown) < min(_SHOWN, total):  # one of each sort in turn
        shown += [group.pop(0) for group in rows.values() if group]
    for row in shown[:_SHOWN]:
        table.add_row(*row)
    if total:
        tale.console.print(table)
    say(f"{planning.counted(total, 'ticket')} changed" + (f", {_SHOWN} of them shown" if total > _SHOWN else ""))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _lines(body: str) -> list[str]:
    """As a reader of the ticket sees it."""
    shown = re.sub(r"<!--.*?-->|</?b>|\*\*|\\(?=\W)|\u200b|\u2060", "", body, flags=re.DOTALL)
    return [line for line in map(str.strip, shown.splitlines()) if line]


def _plain(body: str) -> str:
    return " ".join(_lines(body))


def _plan(plan: Plan) -> None:
    """The plan's head, and what is wanted in a few places, of one sort each."""
    head, *targets = planning.render_text(plan).rstrip().split("\n\n")
    say(head)
    shown: list[str] = []
    for sort in ("+ define label", "- label", "+ label", "+ comment"):
        of_sort = [target for target in targets if f"\n  {sort} " in target and target not in shown]
        shown += sorted(of_sort, key=len)[:1]
    say("".join(f"\n{target}\n" for target in shown))
    say(f"... and {planning.counted(len({c.target for c in plan.changes}) - len(shown), 'more place')}")


def _comment(tale: Demo, result: SyncResult) -> tuple[str, str]:
    """One comment in full, as it stands on the ticket: the ticket, and what the comment suggests first."""
    for change in result.plan.changes:
        guess = re.search(r"^- (\S+) .*: shares '", change.value, re.MULTILINE)
        if guess is not None and change.op is Op.CREATE_COMMENT:
            break
    else:
        raise LookupError("no comment of the story suggests anything")
    tale.heading(f"the one comment on {change.target}, with a suggestion")
    (ours,) = (c for c in tale.snapshot()[change.target]["comments"] if c["author"] == tale.world.bot)
    say("\n".join(_lines(ours["body"])))
    return change.target, guess[1]


def _board(tale: Demo) -> None:
    (issue,) = tale.board.items.values()
    tale.heading(f"the one dashboard issue, {_BOARD}#{issue.number}")
    say("\n".join([issue.title, *_lines(issue.body or "")]))


def _why(tale: Demo, result: SyncResult) -> None:
    """One `explain`, so that a stranger sees what a verdict rests on."""
    view = result.judged.view
    for id_, stored in view.items.items():
        verdict = view.verdicts[id_]
        if stored.item.open and verdict.alignment is Alignment.LINKED and len(verdict.path) >= 4:
            tale.heading(f"why? okrsync explain {id_}")
            with tale.session() as session:
                say(linking.explain_text(judging.explain(session, result.judged, id_)).rstrip())
            return


def _react(tale: Demo, result: SyncResult, suggested: tuple[str, str]) -> list[str]:
    """One takes a suggestion, one takes okrsync's label away, one closes a ticket, two give commands in comments:
    the ids of what they gave them on."""
    view = result.judged.view
    after = tale.snapshot()
    prefix = "okr/"
    bearing = [
        id_
        for id_, verdict in view.verdicts.items()
        if verdict.alignment is Alignment.UNLINKED
        and id_ in view.items
        and view.items[id_].item.open
        and f"{prefix}unlinked" in after[id_]["labels"]
    ]
    commented = [id_ for id_ in bearing if any(c["author"] == tale.world.bot for c in after[id_]["comments"])]
    plain = [id_ for id_ in bearing if id_ not in commented]
    initiative = next(n for n in view.goals.current("initiative") if view.goals.is_active(n) and n.parents)
    one, two, three = (tale.people * 3)[:3]
    tale.clock.advance(timedelta(minutes=5))
    id_, guess = suggested
    tale.world.add_label(id_, f"initiative:{guess}", one)
    say(f"{one} takes the suggestion and adds the label initiative:{guess} to {id_}")
    tale.world.remove_label(plain[0], f"{prefix}unlinked", two)
    say(f"{two} takes the label {prefix}unlinked off {plain[0]}: it is not put back")
    tale.world.close(commented[-1], three)
    say(f"{three} closes {commented[-1]}: closed tickets are left alone")
    until = (tale.clock() + timedelta(days=30)).date()
    commands = (f"/okr link {initiative.id}", f"/okr exempt tech-debt until {until}")
    commanded = sorted({id_.partition(":")[0]: id_ for id_ in commented[1:-1]}.values())  # one on each tracker
    for id_, person, command in zip(commanded, (two, three), commands, strict=False):
        tale.world.comment(id_, command, person)
        say(f"{person} comments on {id_}: {command}")
    return commanded


def _answers(tale: Demo, commanded: Sequence[str]) -> None:
    """What okrsync's one comment says of the commands."""
    after = tale.snapshot()
    for id_ in commanded:
        ours = [_plain(c["body"]) for c in after[id_]["comments"] if c["author"] == tale.world.bot]
        say(f"okrsync's comment on {id_} now: {' / '.join(ours)}")
