"""OKR410: work that is valid but not strategic, and how much of it there may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from okrsync.domain.findings import Finding, Severity, Subject, View
from okrsync.domain.links import Alignment
from okrsync.domain.settings import RulesSettings

from .making import spec


def exemption_over_budget(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """A class of exempt work takes more than its `budgets` share.

    What it says: of all open work whose alignment is known, a larger share is exempt with this class than
    `budgets` in mappings/ allows. Work that is unknown counts on neither side.

    Why it matters: an exemption is a decision that some work need not serve a goal. Each one may be sound, and
    together they can be most of what gets done. Kersten (Project to Product, 2018) has companies look at the
    distribution of work over features, defects, risks and debts, so that each share is a choice and no accident.

    How to fix: look at what the class covers (`okrsync explain --rule NAME` for each rule that exempts with it), end
    what has become a habit, or raise the budget on purpose.
    """
    del settings
    if not view.budgets:
        return
    open_work = 0
    taken: Counter[str] = Counter()
    rules: dict[str, set[str]] = {}
    for standing in view.standings():
        if not standing.open or standing.alignment is Alignment.UNKNOWN:
            continue
        open_work += standing.count
        if standing.alignment is Alignment.EXEMPT and standing.exempt_class:
            taken[standing.exempt_class] += standing.count
            if standing.rule:
                rules.setdefault(standing.exempt_class, set()).add(standing.rule)
    for class_, budget in sorted(view.budgets.items()):
        number = taken[class_]
        # divided, not multiplied: 29 of 100 is the number that `0.29` is read as, and 0.29 * 100 is less than 29
        if not open_work or number / open_work <= budget:
            continue
        by = sorted(rules.get(class_, ()))
        look = f"Look at what {' and '.join(map(repr, by))} in mappings/ covers" if by else "Look at what it covers"
        yield Finding(
            code="OKR410",
            slug="exemption-over-budget",
            severity=Severity.WARNING,
            subject=Subject(kind="goals", id=f"exempt:{class_}", title=f"Exempt as {class_}"),
            message=f"{number} of {open_work} open items ({number / open_work:.0%}) are exempt as {class_}, over its "
            f"budget of {budget:.0%}.",
            remedy=f"{look}, end what has become a habit, or raise `budgets` on purpose.",
            evidence={"class": class_, "budget": budget, "exempt": number, "open": open_work, "rules": by},
        )


RULES = (spec("OKR410", "exemption-over-budget", Severity.WARNING, exemption_over_budget),)
