"""OKR3xx: what objectives say of themselves and hang on."""

from __future__ import annotations

from collections.abc import Iterator

from okrsync.domain.findings import Finding, Severity, Subject, View
from okrsync.domain.goals import Goals, Node, Objective
from okrsync.domain.settings import RulesSettings

from .making import about_goal, in_file, owners, spec, where

MANY, TOO_MANY = 5, 7


def objectives(view: View) -> Iterator[tuple[Node, Objective]]:
    """The objectives of the active cycles."""
    for node in view.goals.current("objective"):
        if isinstance(node.value, Objective):
            yield node, node.value


def objective_without_key_results(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """An objective without key results.

    What it says: no key result stands under this objective.

    Why it matters: the objective says where to go, the key results say how we will know that we got there
    (Grove, High Output Management; Doerr, Measure What Matters). Without them it can be neither missed nor
    met. Google re:Work advises about three for each objective.

    How to fix: add two to four key results, each with `baseline` and `target`; or drop the objective.
    """
    del settings
    for node, objective in objectives(view):
        if objective.key_results:
            continue
        yield Finding(
            code="OKR301",
            slug="objective-without-key-results",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message="This objective has no key results, so nobody can tell when it is reached.",
            remedy=f"Add two to four `key_results` with `baseline` and `target`{in_file(node)}.",
            evidence={**where(node), "level": objective.level, "team": objective.team or None},
        )


def unanchored_objective(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """An objective that hangs in the air.

    What it says: a function or team objective supports nothing; or a company objective leads to no bet,
    neither itself nor through an objective it supports.

    Why it matters: Kaplan and Norton (The Office of Strategy Management, Harvard Business Review, October
    2005) found that most employees do not know their company's strategy; goals that name what they support
    carry it to them. Not everything must cascade, Doerr (Measure What Matters) warns; but what cannot say
    what it is for should be asked.

    How to fix: name in `supports` the bet or the parent objective. If there is none, either the objective or
    the bets are missing something.
    """
    del settings
    for node, objective in objectives(view):
        company = objective.level == "company"
        if (company and _reaches_bet(view.goals, node)) or (not company and view.goals.parents(node)):
            continue
        yield Finding(
            code="OKR302",
            slug="unanchored-objective",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message="This company objective leads to no bet."
            if company
            else f"This {objective.level} objective supports no bet and no other objective.",
            remedy=f"Name what it serves in `supports`{in_file(node)}: "
            + ("the id of a bet." if company else "the id of a bet or of a parent objective."),
            evidence={**where(node), "level": objective.level, "supports": list(objective.supports)},
        )


def _reaches_bet(goals: Goals, node: Node) -> bool:
    waiting, seen = [node], set[Node]()
    while waiting:
        here = waiting.pop()
        if here.kind == "bet":
            return True
        if here not in seen:
            seen.add(here)
            waiting.extend(goals.parents(here))
    return False


def unowned_objective(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """An objective that nobody stands for.

    What it says: no `owner` is named, or a placeholder such as TBD.

    Why it matters: somebody must call the check-in, and say so when the objective is in danger. Google re:Work
    and Doerr (Measure What Matters) both rest on owners who grade their own OKRs in the open. Several owners
    are possible here; the single answerable person belongs to each key result (OKR208).

    How to fix: name a person in `owner`.
    """
    del settings
    for node, objective in objectives(view):
        if owners(node.owner):
            continue
        yield Finding(
            code="OKR303",
            slug="unowned-objective",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message="Nobody is named as the owner of this objective.",
            remedy=f"Name a person in `owner`{in_file(node)}.",
            evidence={**where(node), "level": objective.level, "team": objective.team or None},
        )


def too_many_objectives(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """More objectives than anyone can hold in mind.

    What it says: one team has more than 5 objectives on one level in one cycle (more than 7: an error). Where
    several cycles are active, a year and its quarter, each is counted for itself and the fullest is told.

    Why it matters: Google re:Work advises three to five objectives, since more of them over-extend teams;
    Grove (High Output Management) wants the number small because focus is what the system is for; Wodtke
    (Radical Focus) argues for a single one.

    How to fix: decide which ones matter most in this cycle, and move the others to a later one.
    """
    del settings
    for level, team, found, cycle in _fullest(view):
        if len(found) <= MANY:
            continue
        whose = f"{team} has" if team else "There are"
        yield Finding(
            code="OKR304",
            slug="too-many-objectives",
            severity=Severity.ERROR if len(found) > TOO_MANY else Severity.WARNING,
            subject=Subject(kind="goals", id=f"{level}/{team}", title=f"{level} objectives of {team}" if team else ""),
            message=f"{whose} {len(found)} {level} objectives at once; beyond {MANY} focus is lost.",
            remedy="Keep the three to five that matter most in this cycle; move the others to a later one.",
            evidence={"cycle": cycle, "count": len(found), "objectives": found},
        )


def _fullest(view: View) -> Iterator[tuple[str, str, list[str], str | None]]:
    """Per level and team the objectives of the active cycle that has most of them."""
    goals = view.goals
    cycles: tuple[str | None, ...] = tuple(c.id for c in goals.active_cycles) or (None,)
    groups: dict[tuple[str, str], dict[str | None, list[str]]] = {}
    spelled: dict[tuple[str, str], str] = {}
    for node, objective in objectives(view):
        key = (objective.level, objective.team.casefold())
        spelled.setdefault(key, objective.team)
        for cycle in cycles if node.cycle is None else (node.cycle.id,):
            groups.setdefault(key, {}).setdefault(cycle, []).append(node.id)
    for group, by_cycle in groups.items():
        fullest, found = max(by_cycle.items(), key=lambda entry: len(entry[1]))
        yield group[0], spelled[group], found, fullest


RULES = (
    spec("OKR301", "objective-without-key-results", Severity.WARNING, objective_without_key_results),
    spec("OKR302", "unanchored-objective", Severity.WARNING, unanchored_objective),
    spec("OKR303", "unowned-objective", Severity.WARNING, unowned_objective),
    spec("OKR304", "too-many-objectives", Severity.WARNING, too_many_objectives),
)
