"""Work in a report: one row for each item, the unlinked ones by team and root, the exempt ones by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from okrsync.domain.findings import View
from okrsync.domain.links import Alignment, Suggestion, Verdict
from okrsync.domain.work import WorkItem
from okrsync.findings import closed_in_cycle

from .text import natural, plain, safe_url

SUGGESTED, SUGGESTED_IN_ALL = 25, 300


class WorkRow(Struct, frozen=True, kw_only=True):
    """One item, open or closed within an active cycle. `age_days` runs from creation to now, or to its
    closing; `root` is where a fix belongs; `container` its project or repository."""

    id: str
    kind: str
    title: str
    url: str
    status: str
    alignment: str
    exempt_class: str
    initiatives: tuple[str, ...]
    key_results: tuple[str, ...]
    objectives: tuple[str, ...]
    team: str
    assignee: str
    age_days: int
    updated: datetime
    open: bool
    root: str
    container: str


class RootRow(Struct, frozen=True, kw_only=True):
    """The top of a tree of unlinked work; `items` counts the open ones in it, itself included. `suggestions`: what it
    may belong to, for roots that a reader sees first."""

    row: WorkRow
    items: int
    suggestions: tuple[Suggestion, ...] = ()


class TeamRow(Struct, frozen=True, kw_only=True):
    """Open unlinked work of one team; where no team is known, of one project or repository."""

    name: str
    known: bool
    roots: tuple[RootRow, ...]
    items: int


class ExemptRow(Struct, frozen=True, kw_only=True):
    """Open work of one exemption class; `share` is of all open work."""

    name: str
    items: int
    share: float


class UnreadRow(Struct, frozen=True, kw_only=True):
    """Open work that cannot be judged for one reason, in words."""

    why: str
    items: int


def unread_rows(view: View) -> tuple[UnreadRow, ...]:
    """Open unknown work by reason, most of it first."""
    verdicts = (view.verdicts[id_] for id_, stored in view.items.items() if stored.item.open)
    reasons = Counter(plain(v.why) for v in verdicts if v.alignment is Alignment.UNKNOWN)
    return tuple(UnreadRow(why=why, items=n) for why, n in sorted(reasons.items(), key=lambda r: (-r[1], r[0])))


def work_rows(
    view: View, top: Mapping[str, str], *, people: bool, restricted: bool, hidden: str
) -> tuple[WorkRow, ...]:
    """Rows for open items and those closed in an active cycle, by id. `hidden` stands for restricted titles."""
    rows = []
    for id_ in sorted(view.items, key=natural):
        item, verdict = view.items[id_].item, view.verdicts[id_]
        if item.open or closed_in_cycle(view.goals, item):
            title = plain(item.title) if restricted or not item.restricted else hidden
            assignee = plain(item.assignee) if people else ""
            rows.append(_row(view, item, verdict, title=title, assignee=assignee, root=top.get(id_, id_)))
    return tuple(rows)


def _row(view: View, item: WorkItem, verdict: Verdict, *, title: str, assignee: str, root: str) -> WorkRow:
    # linked work shows what makes it so; stale work shows the ended goals it hangs on
    linked = verdict.alignment is Alignment.LINKED
    targets = [t for t in verdict.targets if t.active or not linked]
    until = view.now if item.open else item.closed_at or view.now
    return WorkRow(
        id=item.id,
        kind=item.kind.value,
        title=title,
        url=safe_url(item.url),
        status=plain(item.status),
        alignment=verdict.alignment.value,
        exempt_class=verdict.exempt_class or "" if verdict.alignment is Alignment.EXEMPT else "",
        initiatives=_once(t.initiative for t in targets),
        key_results=_once(k for t in targets for k in t.key_results),
        objectives=_once(o for t in targets for o in t.objectives),
        team=plain(verdict.team or item.team),
        assignee=assignee,
        age_days=max((until - item.created).days, 0),
        updated=item.updated,
        open=item.open,
        root=root,
        container=item.container,
    )


def _once(ids: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for i in ids if i))


def team_rows(rows: Iterable[WorkRow]) -> tuple[TeamRow, ...]:
    """Open unlinked work, most of it first. A tree counts where its root belongs."""
    unlinked = {r.id: r for r in rows if r.open and r.alignment == Alignment.UNLINKED}
    sizes = Counter(r.root for r in unlinked.values())
    groups: dict[tuple[bool, str], list[RootRow]] = {}
    for root, items in sizes.items():
        row = unlinked[root]
        groups.setdefault((bool(row.team), row.team or row.container), []).append(RootRow(row=row, items=items))
    teams = [
        TeamRow(
            name=name,
            known=known,
            roots=tuple(sorted(found, key=lambda r: (-r.items, natural(r.row.id)))),
            items=sum(r.items for r in found),
        )
        for (known, name), found in groups.items()
    ]
    return tuple(sorted(teams, key=lambda t: (-t.items, not t.known, t.name)))


def suggested(
    teams: Iterable[TeamRow], view: View, suggest: Callable[[WorkItem], Sequence[Suggestion]]
) -> tuple[TeamRow, ...]:
    """The teams with suggestions for the first `SUGGESTED` roots of each, `SUGGESTED_IN_ALL` at most: a reason takes a
    look at all work. Of a restricted item the reason is left out, as it quotes its title."""
    left = SUGGESTED_IN_ALL
    found = []
    for team in teams:
        number = min(SUGGESTED, left, len(team.roots))
        left -= number
        roots = [replace(r, suggestions=_suggestions(view.items[r.row.id].item, suggest)) for r in team.roots[:number]]
        found.append(replace(team, roots=(*roots, *team.roots[number:])))
    return tuple(found)


def _suggestions(item: WorkItem, suggest: Callable[[WorkItem], Sequence[Suggestion]]) -> tuple[Suggestion, ...]:
    return tuple(replace(s, why="" if item.restricted else plain(s.why)) for s in suggest(item))


def exempt_rows(rows: Iterable[WorkRow]) -> tuple[ExemptRow, ...]:
    """Open exempt work by class, most of it first."""
    open_rows = [r for r in rows if r.open]
    classes = Counter(r.exempt_class for r in open_rows if r.alignment == Alignment.EXEMPT)
    return tuple(
        ExemptRow(name=name, items=n, share=n / len(open_rows))
        for name, n in sorted(classes.items(), key=lambda c: (-c[1], c[0]))
    )
