"""The verb that proposes mapping rules: bootstrap."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import typer
from msgspec import structs

from .. import judging, proposing
from ..domain.findings import Summary
from ..domain.text import clean
from ..mappings.propose import Proposal
from ..planning import counted
from ..proposing import Proposed
from .common import FormatOption, Output, VerboseOption, WorkspaceOption, invocation, note, print_json, say

FILE = "mappings/90-proposed.yaml"
WIDE = (
    "wide: roughly where such work belongs, going by its words or its place",
    "Tests, clean-up and other upkeep of an area count to its objective here; delete these rules, and they are exempt",
    "as said below. They also take what is new, so replace them by better ones as you go.",
)
SPARE = (
    "upkeep that the wide rules take whole",
    "Should you delete the wide ones, take the first `# ` from each line of these rules.",
)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)?( [A-Za-z0-9_.-]+)*")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))  # YAML reads them as something else


def bootstrap(
    ctx: typer.Context,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Propose mapping rules and teams as YAML to review.

    Reads what the store holds; writes nothing. Each rule says what speaks for it and how many open items it would
    decide. What evidence on the tickets or a rule of yours says already stays as it is. Wide rules are told apart: they
    say only roughly where work belongs, and count the upkeep of an area to the area's objective. Delete them, and it
    is exempt.
    """
    with invocation(ctx).session(workspace, verbose=verbose) as session:
        judged = judging.judge(session)
        proposed = proposing.propose(session, judged)
    if output is Output.JSON:
        print_json(
            {
                "rules": [structs.asdict(p) for p in proposed.proposals],
                "spare": [structs.asdict(p) for p in proposed.spare],
                "linked_now": proposed.before.linked,
                "linked_narrow": proposed.narrow.linked,
                "linked_then": proposed.after.linked,
                "exempt_now": proposed.before.exempt,
                "exempt_narrow": proposed.narrow.exempt,
                "exempt_then": proposed.after.exempt,
                "unlinked_now": proposed.before.unlinked,
                "unlinked_narrow": proposed.narrow.unlinked,
                "unlinked_then": proposed.after.unlinked,
            }
        )
        return 0
    for line in _lines(proposed):
        say(line)
    if not judged.view.items:
        note("nothing is held yet; `okrsync pull` reads the sources")
    elif proposed.proposals:
        note(f"next: review it (`okrsync bootstrap > {FILE}` keeps it), then `okrsync check` and `okrsync sync`")
    return 0


def _lines(proposed: Proposed) -> Iterator[str]:
    """A mapping file: valid as it is."""
    proposals, before = proposed.proposals, proposed.before
    deciding = [p for p in proposals if not p.team]
    yield from _head(proposed, deciding)
    yield "rules:" if proposals else "rules: []"
    for heading, group in (
        (("what links to a goal",), [p for p in deciding if p.link and not p.wide]),
        (("what serves no goal and is valid all the same",), [p for p in deciding if p.exempt and not p.of_area]),
        (WIDE, [p for p in deciding if p.wide]),
        (("upkeep of an area, exempt where nothing above takes it",), [p for p in deciding if p.of_area]),
        (SPARE, proposed.spare),
        (("who works where",), [p for p in proposals if p.team]),
    ):
        if group:
            yield f"  # --- {heading[0]}"
            yield from (f"  #     {line}" for line in heading[1:])
            for proposal in group:
                lines = _rule(proposal, before)
                yield from map(_off, lines) if heading is SPARE else lines


def _head(proposed: Proposed, deciding: Sequence[Proposal]) -> Iterator[str]:
    """What the rules do: first the narrow ones, then all."""
    before, narrow, after = proposed.before, proposed.narrow, proposed.after
    if not deciding:
        if before.open:
            yield "# No rule suggests itself; link epics by a label `initiative:ID`, and ask again."
        return
    these = "This rule" if len(deciding) == 1 else f"These {len(deciding)} rules"
    yield f"# {these}: {_rate(before)} → {_rate(after)} of open work is aligned."
    unlinked = counted(before.unlinked, "unlinked item")
    wide = sum(1 for p in deciding if p.wide)
    if wide and len(deciding) + len(proposed.spare) > wide:
        yield f"# Of {unlinked} the narrow ones alone would link {_doing(before, narrow)}: {_rate(narrow)} aligned;"
        yield f"# with the {'wide one' if wide == 1 else f'{wide} wide ones'} they link {_doing(before, after)}."
    else:
        yield f"# Of {unlinked} they link {_doing(before, after)}."
    yield f"# Review each, delete what is wrong, and save the rest as {FILE}."


def _doing(before: Summary, after: Summary) -> str:
    stale = after.stale - before.stale
    return (
        f"{after.linked - before.linked}, exempt {after.exempt - before.exempt}"
        f"{f', show {stale} as stale' if stale else ''} and leave {after.unlinked}"
    )


def _rule(proposal: Proposal, before: Summary) -> Iterator[str]:
    if proposal.team:
        yield f"  # {_plain(proposal.why[0])}"
    else:
        share = proposal.items / before.open if before.open else 0
        examples = ", ".join(proposal.examples) + (", ..." if proposal.items > len(proposal.examples) else "")
        upkeep = f", {proposal.upkeep} of them upkeep" if proposal.upkeep else ""
        yield f"  # {counted(proposal.items, 'open item')} ({share:.0%}){upkeep}: {examples}"
        yield from (f"  #   {_plain(why)}" for why in proposal.why)
    rule = proposal.rule()
    when = rule.pop("when")
    yield f"  - name: {_yaml(rule.pop('name'))}"
    if any(_long(value) for value in when.values()):
        yield "    when:"
        for key, value in when.items():
            yield from _block(key, value, "      ")
    else:
        yield f"    when: {{{', '.join(f'{key}: {_yaml(value)}' for key, value in when.items())}}}"
    yield from (f"    {key}: {_yaml(value)}" for key, value in rule.items())


def _off(line: str) -> str:
    """A line of a rule as a comment: without its `# ` it stands as it must."""
    return line if line.startswith("  #") else f"# {line}"


def _long(value: Any) -> bool:
    return any(map(_long, value.values())) if isinstance(value, dict) else isinstance(value, list) and len(value) > 2


def _block(key: str, value: Any, margin: str) -> Iterator[str]:
    """A long list goes below its key, a line each."""
    if not _long(value):
        yield f"{margin}{key}: {_yaml(value)}"
        return
    yield f"{margin}{key}:"
    if isinstance(value, dict):
        for of, those in value.items():
            yield from _block(of, those, f"{margin}  ")
    else:
        yield from (f"{margin}  - {_yaml(one)}" for one in value)


def _rate(summary: Summary) -> str:
    return "nothing" if summary.alignment_rate is None else f"{summary.alignment_rate:.0%}"


def _plain(text: str) -> str:
    """One line of a comment, whatever a stranger's title holds."""
    return " ".join(clean(text).split())


def _yaml(value: Any) -> str:
    """In flow style, on one line; plain where YAML reads it as that text, single-quoted where it can be, so that
    expressions keep their backslashes."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(one)}' for key, one in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.casefold() not in _WORDS:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)
