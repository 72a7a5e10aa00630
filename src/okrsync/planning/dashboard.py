"""The one dashboard issue: what it says, and whether it is to be created, edited or left alone.

Nothing in it changes by itself (no times, no ages, large counts by their size only), so it is edited only when what it
says has changed. Whoever may edit an issue must not be able to approve a plan: it names the command, and nothing in it
is ever read back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, structs

from ..domain.changes import DASHBOARD_UID, Change, Dismissal, Gate, Held, JournalEntry, JournalState, Op, Plan, Posted
from ..domain.comments import Block, Comment, bold, bullet, code, paragraph
from ..domain.findings import Finding

WHAT = "issue"
"""What a dismissal of the dashboard says was taken away."""

TITLE = "okrsync: goals without work, and work without a goal"
_GOALS, _TEAMS = 30, 20
_LONGEST = 120
_SIZES = (1000, 500, 200, 100, 50, 20)


class Board(Struct, frozen=True, kw_only=True):
    """What the dashboard is about, and what is known of it.

    place       `<connector>:<container>`, as `writeback.dashboard` names it
    public      strangers may read there: goals by id only, and no names of teams
    unsupported findings of key results that nothing supports; None where the rule is switched off
    teams       team, project or repository -> roots of open unlinked work (not none)
    posted      by place, as `posted` folds the journal
    closed      `ref` of our issue that was last seen closed
    dismissed   a person deleted it under this setting
    refused     why the server does not let us write there, empty where it does
    complete    everything could be read in this run
    """

    place: str
    public: bool
    unsupported: Sequence[Finding] | None
    teams: Mapping[str, int]
    posted: Mapping[str, Posted] = {}
    closed: str = ""
    dismissed: bool = False
    refused: str = ""
    complete: bool = True


def uid_of(place: str) -> str:
    """What the journal and dismissals of the dashboard in a place hang on."""
    return DASHBOARD_UID + place


def posted(
    entries: Iterable[JournalEntry], dismissals: Mapping[tuple[str, str], Dismissal] | None = None
) -> dict[str, Posted]:
    """By place: what the journal says of its dashboard issue. `entries` are about dashboards, oldest first; those
    before a dismissal are about an issue that is gone."""
    found: dict[str, Posted] = {}
    for entry in entries:
        gone = (dismissals or {}).get((entry.uid, WHAT))
        if gone is not None and entry.at <= gone.at:
            continue
        before = found.get(entry.target, Posted())
        now = structs.replace(before, ref=entry.comment_id or before.ref)
        match entry.state:
            case JournalState.CONFIRMED:
                now = structs.replace(now, hash=entry.content_hash, unknown=False, seqs=(*now.seqs, entry.seq))
            case JournalState.UNDONE:
                now = structs.replace(now, hash=None, unknown=False)
            case JournalState.INTENDED | JournalState.UNKNOWN:
                # an edit may have gone through or not: writing it again is harmless, creating again is not
                creates = entry.op == Op.CREATE_ISSUE
                now = structs.replace(now, hash=None, unknown=creates, seqs=(*now.seqs, entry.seq))
            case JournalState.FAILED:
                now = before
        found[entry.target] = now
    return found


def identities(known: Mapping[str, Posted]) -> frozenset[str]:
    """The ids and uids, folded, that our dashboards have where they are read as items: they are never work."""
    return frozenset(
        name.casefold()
        for place, one in known.items()
        if one.ref is not None
        for name in (f"{place}#{one.ref}", f"{place.partition(':')[0]}:{one.ref}")
    )


def decide(plan: Plan, gate: Gate, board: Board) -> Plan:
    """The plan with what is to be done to the dashboard. Its checksum stays: nobody has to approve this."""
    known = board.posted.get(board.place, Posted())
    wanted = content(plan, gate, board)
    retired_ones = [_retire(place, one) for place, one in sorted(board.posted.items()) if place != board.place]
    changes = [change for change in retired_ones if change is not None]
    why = _why_not(board, known, wanted)
    held = plan.held
    if why:
        held = tuple(
            sorted((*held, Held(target=board.place, why=f"dashboard: {why}")), key=lambda h: (h.target, h.why))
        )
    elif known.hash != wanted.hash:
        changes.append(_change(board.place, known.ref, wanted))
    return structs.replace(plan, changes=(*plan.changes, *changes), held=held)


def wants_look(plan: Plan, gate: Gate, board: Board) -> str | None:
    """The `ref` of our issue where its text is to be replaced, so that it is looked at first; else None."""
    known = board.posted.get(board.place, Posted())
    return None if known.hash == content(plan, gate, board).hash else known.ref


def without_setting(plan: Plan, known: Mapping[str, Posted]) -> Plan:
    """The plan where no dashboard is wanted any more."""
    changes = [change for place, one in sorted(known.items()) if (change := _retire(place, one)) is not None]
    return structs.replace(plan, changes=(*plan.changes, *changes))


def retired() -> Comment:
    """The one line that replaces the dashboard once it is not kept up to date any more."""
    return Comment((paragraph("okrsync does not keep this dashboard up to date any more. It can be closed."),))


def content(plan: Plan, gate: Gate, board: Board) -> Comment:
    """What the dashboard says of one run: the same for the same goals and roots."""
    blocks = [
        paragraph(
            "okrsync keeps this one issue up to date. It is no work itself: it is not counted, labelled or linked. "
            "What is written into this text by hand is replaced with the next change."
        )
    ]
    blocks.extend(_unsupported(board))
    blocks.extend(_unlinked(board))
    if gate.refused:
        blocks.extend(_held_back(plan))
    return Comment(tuple(blocks))


def _unsupported(board: Board) -> Iterable[Block]:
    if board.unsupported is None:
        return
    yield paragraph(bold("Key results with no support in Jira and GitHub"))
    if not board.unsupported:
        yield paragraph("None: there is work for every key result.")
    for finding in board.unsupported[:_GOALS]:
        title = "" if board.public else _short(finding.subject.title)
        yield bullet(code(finding.subject.id), *([f" {title}"] if title else []))
    yield from _rest(len(board.unsupported) - _GOALS, "key result", "key results")


def _unlinked(board: Board) -> Iterable[Block]:
    yield paragraph(bold("Open work with no strategic parent"))
    roots = sum(board.teams.values())
    if not roots:
        yield paragraph("None: all open work serves a goal, or is exempt.")
        return
    meaning = "Counted are roots, the topmost ticket of each tree: one label on it links everything below."
    total = _size(roots)
    yield paragraph(f"{total[0].upper()}{total[1:]} in all. {meaning} The report lists each of them.")
    if board.public:
        return
    ranked = sorted(board.teams.items(), key=lambda team: (-_at_least(team[1]), team[0].casefold(), team[0]))
    for team, number in ranked[:_TEAMS]:
        yield bullet(_short(team), f": {_size(number)}")
    yield from _rest(len(ranked) - _TEAMS, "team or place", "teams and places")


def _held_back(plan: Plan) -> Iterable[Block]:
    yield paragraph(bold("Changes held back"))
    number = plan.counts["items"]
    yield paragraph(
        f"Changes on {number} {'ticket' if number == 1 else 'tickets'} wait for approval: more at once than ",
        code("limits.share"),
        " lets through. Whoever runs okrsync sees what they are with ",
        code("okrsync plan"),
        " and lets them through with:",
    )
    yield bullet(code(f"okrsync approve {plan.checksum}"))


def _rest(number: int, one: str, many: str) -> Iterable[Block]:
    if number > 0:
        yield paragraph(f"And {_at_least_words(number)} more {one if number == 1 else many}, see the report.")


def _size(number: int) -> str:
    return f"{_at_least_words(number)} {'root' if number == 1 else 'roots'}"


def _at_least_words(number: int) -> str:
    least = _at_least(number)
    return str(number) if least == number else f"over {least:,}"


def _at_least(number: int) -> int:
    """A large number by its size only, so that the text stays while work comes and goes."""
    return next((size for size in _SIZES if number > size), number)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _why_not(board: Board, known: Posted, wanted: Comment) -> str:
    if board.dismissed:
        return "a person deleted the issue; it is not written again while `writeback.dashboard` stays as it is"
    if known.unknown:
        return "whether it was created is not known yet"
    if known.hash == wanted.hash:
        return ""
    if not board.complete:
        return "not everything could be read in this run"
    if board.refused:
        return board.refused
    if known.ref is not None and board.closed == known.ref:
        return "a person closed the issue; it is kept up to date again once it is reopened"
    return ""


def _retire(place: str, one: Posted) -> Change | None:
    if one.ref is None or one.hash is None or one.hash == retired().hash:
        return None
    return _change(place, one.ref, retired())


def _change(place: str, ref: str | None, wanted: Comment) -> Change:
    return Change(
        op=Op.CREATE_ISSUE if ref is None else Op.UPDATE_ISSUE,
        target=place,
        uid=uid_of(place),
        value=wanted.text,
        because="dashboard",
        comment=wanted,
        comment_id=ref,
    )
