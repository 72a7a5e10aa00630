"""OKR4xx: initiatives and bets, what they serve and whether work stands behind them."""

from __future__ import annotations

from collections.abc import Iterator

from okrsync.domain.findings import Finding, Severity, Subject, View
from okrsync.domain.goals import Initiative, Node
from okrsync.domain.settings import RulesSettings

from .making import about_goal, in_file, spec, where
from .support import doubt, supported

MANY, TOO_MANY = 5, 7


def initiatives(view: View) -> Iterator[tuple[Node, Initiative]]:
    """Current initiatives that are neither done nor stopped."""
    for node in view.goals.current("initiative"):
        if isinstance(node.value, Initiative) and view.goals.is_active(node):
            yield node, node.value


def initiative_without_key_result(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """An initiative that is meant to move no number.

    What it says: it supports nothing, or only objectives. Done and stopped initiatives are not judged.

    Why it matters: an initiative is a bet on a measure. Castro (The Beginner's Guide to OKR) draws the line
    between activity and value: the initiative is the activity, the key result is how we know that it was
    worth it. Without one it can be finished but never be right or wrong.

    How to fix: name in `supports` the key result it is meant to move.
    """
    del settings
    for node, initiative in initiatives(view):
        parents = view.goals.parents(node)
        if any(p.kind == "key_result" for p in parents):
            continue
        names = [p.id for p in parents]
        yield Finding(
            code="OKR401",
            slug="initiative-without-key-result",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message="This initiative supports "
            + (f"{'an objective' if len(names) == 1 else 'objectives'} only, no key result." if names else "nothing."),
            remedy=f"Name the key result it is meant to move in `supports`{in_file(node)}.",
            evidence={**where(node), "status": initiative.status, "supports": list(initiative.supports)},
        )


def initiative_without_work(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """An active initiative that no work belongs to.

    What it says: no open work, and none closed (and done) within its cycle, belongs to this initiative. Only
    initiatives with `status: active` are judged: for proposed and paused ones having no work is as it should
    be. Nothing is claimed while a source could not be read completely or an item hangs on something
    unreadable.

    Why it matters: it is funded and reported as running. Either its work is not linked, and the report
    understates it, or it has not begun. Wodtke (Radical Focus) has teams ask every week what is being
    done for the goal now.

    How to fix: add the label initiative:ID to its topmost epics or issues, or list them under `work`, or set
    `status: proposed` or `paused`.
    """
    del settings
    if doubt(view):
        return
    reached = supported(view)
    for node, initiative in initiatives(view):
        if initiative.status != "active" or node.key in reached:
            continue
        yield Finding(
            code="OKR402",
            slug="initiative-without-work",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message="This initiative is active, yet no open work in Jira and GitHub, and none closed in "
            f"{node.cycle.id if node.cycle else 'the active cycle'}, belongs to it.",
            remedy=f"Add the label initiative:{node.id} to its topmost items, or list them under `work`"
            f"{in_file(node)}; if it has not begun, set `status: proposed` or `paused`.",
            evidence={**where(node), "open": 0, "closed_in_cycle": 0, "work": list(initiative.work)},
        )


def too_many_bets(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """More strategic bets than choices.

    What it says: more than 5 bets stand in one active cycle (more than 7: an error). Bets of files without a
    cycle count in each.

    Why it matters: a strategy says what not to do. Rumelt (Good Strategy, Bad Strategy, 2011) names the long
    list of things to do, called strategy, among the marks of a bad one.

    How to fix: choose three to five; let the others wait, or show which of the five they belong to.
    """
    del settings
    goals = view.goals
    current = goals.current("bet")
    for cycle in goals.active_cycles or (None,):
        bets = [n.id for n in current if n.cycle is None or cycle is None or n.cycle.id == cycle.id]
        if len(bets) <= MANY:
            continue
        yield Finding(
            code="OKR403",
            slug="too-many-bets",
            severity=Severity.ERROR if len(bets) > TOO_MANY else Severity.WARNING,
            subject=Subject(kind="goals", id=cycle.id if cycle else "no-cycle", title="Strategic bets"),
            message=f"There are {len(bets)} bets at once; beyond {MANY} they are a list, not a choice.",
            remedy="Keep the three to five that matter most; let the others wait, or fold them into one of these.",
            evidence={"cycle": cycle.id if cycle else None, "count": len(bets), "bets": bets},
        )


RULES = (
    spec("OKR401", "initiative-without-key-result", Severity.WARNING, initiative_without_key_result),
    spec("OKR402", "initiative-without-work", Severity.WARNING, initiative_without_work),
    spec("OKR403", "too-many-bets", Severity.WARNING, too_many_bets),
)
