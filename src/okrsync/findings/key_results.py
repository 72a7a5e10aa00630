"""OKR2xx: what key results say, and whether work supports them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from okrsync.domain.findings import Finding, Severity, View
from okrsync.domain.goals import KeyResult, Node, Owner
from okrsync.domain.settings import RulesSettings
from okrsync.domain.text import regex

from .making import about_goal, in_file, listed, owners, spec, where
from .support import doubt, supported


def key_results(view: View) -> Iterator[tuple[Node, KeyResult]]:
    """The key results of the active cycles."""
    for node in view.goals.current("key_result"):
        if isinstance(node.value, KeyResult):
            yield node, node.value


def unsupported_key_result(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """A key result that nobody is seen working on.

    What it says: no open work, and none closed (and done) within the active cycle, reaches this key result.
    Work tied to its objective alone does not count. "No support in Jira and GitHub" means just that: support
    elsewhere is invisible here unless the workspace says so. Nothing is claimed while a source could not be
    read completely or an item hangs on something unreadable: the missing work may be there.

    Why it matters: this is the other half of the truth. A goal without work is a wish; found in the first
    weeks it can still be staffed or dropped. Doerr (Measure What Matters, 2018) and Wodtke (Radical Focus)
    both insist on regular check-ins after the planning day, for just this.

    How to fix: link the work that exists (label kr:ID or initiative:ID on its topmost item), start some, or
    drop the key result. If the work happens elsewhere, say so with
    `supported_elsewhere: {what: ..., owner: ..., review_by: DATE}`.
    """
    del settings
    if doubt(view):
        return
    reached = supported(view)
    for node, kr in key_results(view):
        if node.key in reached:
            continue
        elsewhere = kr.supported_elsewhere
        if elsewhere is not None and elsewhere.review_by >= view.goals.today:
            continue
        expired = (
            f" Support elsewhere ({elsewhere.what}) was to be reviewed by {elsewhere.review_by.isoformat()}; "
            "that day has passed."
            if elsewhere
            else ""
        )
        renew = "move `review_by`" if elsewhere else "add `supported_elsewhere`"
        yield Finding(
            code="OKR201",
            slug="unsupported-key-result",
            severity=Severity.ERROR,
            subject=about_goal(node),
            message=f"This key result has no support in Jira and GitHub: no open work, and none closed in "
            f"{node.cycle.id if node.cycle else 'the active cycle'}, reaches it.{expired}",
            remedy=f'Add the label kr:{node.id}, or a line "OKR: {node.id}" in the description, to the work that '
            f"moves it; if that work happens elsewhere, {renew}{in_file(node)}; or drop the key result.",
            evidence={
                **where(node),
                "open": 0,
                "closed_in_cycle": 0,
                "supported_elsewhere_until": elsewhere.review_by.isoformat() if elsewhere else None,
            },
        )


# Left blank on purpose: XX, X%, $X, $XM, "from X to Y", X/10, TBD, ???.
_PLACEHOLDER = regex(
    r"\bX{2,}\b|\bTB[DCA]\b|\?{2,}|(?<![\w.])[NXYnxy]\s?%|[$€£]\s?[XNY][kKmMbB]?\b"
    r"|\b[Ff]rom [XN] to [XYNM]\b|\b[XN]/\d+"
)
# Digits that measure nothing: addresses, tickets, dates, years.
_NO_MEASURE = regex(
    r"""https?://\S+ | `[^`]*` | \]\([^)]*\)
      | (?:\b(?:epic|issue|ticket|release|version|phase|milestone)\s+|\#|!)\d[\d.]*
      | \b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:st|nd|rd|th)?\b
      | \b\d{1,2}(?:st|nd|rd|th)?\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b
      | \b\d{4}-\d{2}(?:-\d{2})?\b
      | \b(?:in|by|until|before|during|since|of|for)\s+(?:19|20)\d\d\b(?!\s*[%\d]|-\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = regex(
    r"(?<![\w.])\d[\d,.'\u00a0]*(?:[%‰×xkKmMbB]|[a-zA-Z]{1,3})?(?!\w)"
    r"|\b(?:zero|half|halve|double(?!\s+down)|twice|triple|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred)\b",
    re.IGNORECASE,
)


def unmeasurable_key_result(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """A key result of which nobody could say whether it was reached.

    What it says: it has no `target`; or it has neither a `baseline` nor a number in its title; or a
    placeholder such as XX or TBD still stands where a number should.

    Why it matters: "It's not a key result unless it has a number", as Marissa Mayer is quoted in Doerr
    (Measure What Matters, 2018). Google re:Work asks for key results that are measurable and easy to grade.
    Without a baseline and a target the end of the cycle is an argument instead of a look.

    How to fix: give it `baseline` and `target` (and `unit`), and put both into the title: "Raise checkout
    conversion from 61% to 68%". If the baseline is not known, measuring it is the first initiative.
    """
    del settings
    for node, kr in key_results(view):
        placeholder = _PLACEHOLDER.search(node.title)
        missing: list[str] = []
        if kr.target is None:
            missing.append("it has no target")
        if kr.baseline is None and not has_number(node.title):
            missing.append("it has neither a baseline nor a number in its title")
        if placeholder:
            missing.append(f"its title still holds the placeholder {placeholder.group().strip()}")
        if not missing:
            continue
        wanted = [f"`{f}`" for f in ("baseline", "target") if getattr(kr, f) is None]
        fixes = [f"give it {listed(wanted)}{in_file(node)}"] if wanted else []
        if placeholder:
            fixes.append(f"put the number in place of {placeholder.group().strip()}")
        yield Finding(
            code="OKR204",
            slug="unmeasurable-key-result",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message=f"Whether this key result is reached cannot be measured: {listed(missing)}.",
            remedy=f'To make it measurable, {listed(fixes)}, for example "Raise checkout conversion from 61% to 68%".',
            evidence={
                **where(node),
                "target": kr.target,
                "baseline": kr.baseline,
                "placeholder": placeholder.group().strip() if placeholder else None,
            },
        )


def has_number(title: str) -> bool:
    """Whether a title names a quantity, in digits or words; ids, links, dates and years are none."""
    return bool(_NUMBER.search(_NO_MEASURE.sub(" ", title)))


_SEVERAL = regex(r"\s(?:and|und)\s|\s*[&;+]\s*|\s*/\s*", re.IGNORECASE)
_COMMITTEE = regex(
    r"\b(?:teams?|committee|council|board|leadership|management|group|guild|squad|department|all|everyone|everybody)\b",
    re.IGNORECASE,
)
# "Head of Sales and Marketing" is one person.
_ROLE = regex(
    r"\b(?:head|lead|leader|[se]?vp|vice president|director|chief|manager|officer|president)\b", re.IGNORECASE
)


def shared_owner(owner: Owner) -> str:
    """Why an owner is not one person, in words; empty when it is, or when there is none.

    A list of one name is one person. So is a single role (`Head of Sales and Marketing`), and `Wu, Lin`.
    """
    names = owners(owner)
    if len(names) > 1:
        return f"{len(names)} owners are named"
    if not names:
        return ""
    name = names[0]
    if len(_ROLE.findall(name)) == 1:
        return ""
    parts = [p for p in name.split(",") if p.strip()]
    if _SEVERAL.search(name) or len(parts) > 2 or (len(parts) == 2 and all(len(p.split()) > 1 for p in parts)):
        return "more than one owner is named"
    return "a group is named, not a person" if _COMMITTEE.search(name) else ""


def unowned_key_result(view: View, settings: RulesSettings) -> Iterator[Finding]:
    """A key result without one person to ask.

    What it says: no owner is named, or several are, or a committee, a team, "all" or "TBD".

    Why it matters: what everybody owns, nobody moves. Apple's practice of one directly responsible individual
    for each thing on an agenda (described in Lashinsky, Inside Apple, 2012) is the best known remedy. The
    owner does not do all the work; the owner knows how it stands and says when help is needed.

    How to fix: name one person in `owner`. Others who help are welcome in the initiatives' owners.
    """
    del settings
    for node, _ in key_results(view):
        shared = shared_owner(node.owner)
        if owners(node.owner) and not shared:
            continue
        yield Finding(
            code="OKR208",
            slug="unowned-key-result",
            severity=Severity.WARNING,
            subject=about_goal(node),
            message=f"This key result has no single owner: {shared or 'nobody is named'}.",
            remedy=f"Name one person in `owner`{in_file(node)}: who knows how it stands and says when help is needed.",
            evidence={**where(node), "owners": list(owners(node.owner))},
        )


RULES = (
    spec("OKR201", "unsupported-key-result", Severity.ERROR, unsupported_key_result),
    spec("OKR204", "unmeasurable-key-result", Severity.WARNING, unmeasurable_key_result),
    spec("OKR208", "unowned-key-result", Severity.WARNING, unowned_key_result),
)
