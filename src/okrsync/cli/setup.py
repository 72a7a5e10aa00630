"""Verbs that need no store: init, check, rule, schema."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from msgspec import structs

from .. import config, findings, judging, logs, mappings
from ..bootstrap import open_session
from ..config import scaffold
from ..config.examples import check_examples
from ..config.schemas import schemas
from ..domain.goals import NodeKind, day
from ..domain.storage import StoreError
from ..domain.text import did_you_mean, iso
from ..domain.trackers import Probe, TrackerError
from ..domain.work import WorkItem
from ..domain.workspace import Workspace, WorkspaceError
from ..planning import counted
from ..planning.comments import COMMENTABLE
from .common import (
    FormatOption,
    Invocation,
    Output,
    UsageProblem,
    VerboseOption,
    WorkspaceOption,
    invocation,
    note,
    print_json,
    say,
)


def init(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where to write it, made if need be; else the workspace.")
    ] = None,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Write a commented example workspace; nothing is overwritten."""
    call = invocation(ctx)
    logs.configure(call.env, verbose=verbose)
    if folder is not None and workspace is not None:
        raise UsageProblem("init takes DIR or --workspace, not both")
    target = folder or call.named(workspace) or Path()
    today = day(call.clock())
    written = scaffold.init(target, today=today)
    for path in written:
        say(f"wrote {path}")
    for path in (target / relative for relative in scaffold.example_files(today)):
        if path not in written:
            say(f"kept {path}" if path.exists() else f"left out {path}: it might contradict files that are there")
    named = "" if target == Path() else f" --workspace {target}"
    say("next: your goals into config/okrs/, your addresses into connectors/ (delete the one you do not need),")
    say(f"then `okrsync{named} check`, and with the secrets set `okrsync{named} check --online`")
    return 0


def check(
    ctx: typer.Context,
    online: Annotated[bool, typer.Option("--online", help="Also sign in: permissions, fields, scopes.")] = False,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Validate the workspace; with --online also what it may access.

    Online: credentials, permissions, fields and scopes; what is missing is named, and how to get it; how much of the
    rate budget is left, and what a first pull will bring.
    """
    call = invocation(ctx)
    logs.configure(call.env, verbose=verbose)
    root = call.root(workspace)
    try:
        loaded, held = _load(call, root)
    except WorkspaceError as wrong:
        if output is Output.JSON:
            print_json({"ok": False, "problems": [structs.asdict(p) for p in wrong.problems]})
        raise
    goals = loaded.goals(day(call.clock()))
    warnings = [*loaded.warnings, *_about_comments(loaded), *_about_rules(loaded, held, call)]
    if goals.between_cycles and goals.cycle is not None:
        warnings.append(f"no cycle contains today; {goals.cycle.id}, which ended on {goals.cycle.ends}, stays active")
    if goals.cycle is None and loaded.cycles:
        first = loaded.cycles[0]
        warnings.append(f"no cycle has begun yet; the first one, {first.id}, starts on {first.starts}")
    for warning in warnings:
        note(f"warning: {warning}")
    probes, failures = _probe(call, root) if online else ({}, {})
    if output is Output.JSON:
        print_json(_json(warnings, probes, failures))
    else:
        kinds: tuple[NodeKind, ...] = ("bet", "objective", "key_result", "initiative")
        counts = [counted(len(goals.current(kind)), kind.replace("_", " ")) for kind in kinds]
        counts += [counted(len(loaded.connectors), "connector"), counted(len(loaded.mappings.rules), "rule")]
        say(f"ok: cycle {goals.cycle.id if goals.cycle else 'none'}, {', '.join(counts)}")
        for name, probe in probes.items():
            _say_probe(name, probe)
        for name, failure in failures.items():
            say(f"\n{name}: {failure.removeprefix(f'{name}: ')}")
    return 1 if failures or any(p.problems for p in probes.values()) else 0


def _load(call: Invocation, root: Path) -> tuple[Workspace, Mapping[str, WorkItem]]:
    """The workspace, its examples tried out, and the work that the store holds, by id. Raises WorkspaceError."""
    loaded = config.load(root, env=call.env)
    held = _held(call, root, loaded.settings.store)
    problems = check_examples(loaded, mappings.match, now=call.clock(), lookup=held.get if held is not None else None)
    if problems:
        raise WorkspaceError(problems)
    return loaded, held or {}


def _held(call: Invocation, root: Path, url: str) -> Mapping[str, WorkItem] | None:
    """None where no store is at hand: `check` makes none, and asks no database server."""
    if not url.startswith("sqlite:///") or not Path(url.removeprefix("sqlite:///").partition("?")[0]).is_file():
        return None
    try:
        with open_session(root, env=call.env, clock=call.clock, sleep=call.sleep) as session:
            return {s.item.id: s.item for s in judging.live_items(session) if not s.chased and not s.item.archived}
    except StoreError as problem:
        note(f"warning: rules and examples are not tried on the work held: {problem}")
        return None


def _about_rules(loaded: Workspace, held: Mapping[str, WorkItem], call: Invocation) -> list[str]:
    """Rules that do nothing, cannot be reached, or take too much."""
    never = mappings.unreachable(loaded.mappings)
    work = [item for item in held.values() if item.open]
    prefix = loaded.settings.writeback.label_prefix
    uses = mappings.coverage(loaded.mappings, work, call.clock(), label_prefix=prefix)
    return [*never.values(), *mappings.remarks((u for u in uses if u.rule.name not in never), len(work))]


def _about_comments(loaded: Workspace) -> list[str]:
    """Rules in `comments.rules` that no comment can tell."""
    known = [name for pair in COMMENTABLE.items() for name in pair]
    return [
        f"`comments.rules` names {name}, which is never told in a comment; those that are: {', '.join(COMMENTABLE)}"
        for name in loaded.settings.writeback.comments.rules
        if name not in known
    ]


def _probe(call: Invocation, root: Path) -> tuple[dict[str, Probe], dict[str, str]]:
    probes: dict[str, Probe] = {}
    failures: dict[str, str] = {}
    with open_session(root, env=call.env, clock=call.clock, sleep=call.sleep) as session:
        for name, tracker in session.trackers().items():
            try:
                probes[name] = tracker.probe()
            except TrackerError as problem:
                failures[name] = str(problem)
    return probes, failures


def _say_probe(name: str, probe: Probe) -> None:
    say(f"\n{name}: {probe.server}, signed in as {probe.identity or 'nobody'}")
    if probe.access and sys.stdout.isatty():
        _show_access(probe)
    else:
        for access in probe.access:
            reads = "reads" if access.readable else "cannot read"
            writes = "writes" if access.writable else "does not write"
            say(f"  {access.container}: {reads}, {writes}")
            for missing in access.missing:
                say(f"    missing: {missing}")
    for field, found in probe.fields.items():
        say(f"  field {field}: {found}")
    for rate in probe.budget:
        resets = f"; all of them again at {iso(rate.resets)}" if rate.resets else ""
        say(f"  rate budget: {rate.remaining:,} of {rate.limit:,} {rate.name} are left{resets}")
    if probe.first_pull is not None:
        first = probe.first_pull
        over = "more than" if first.more else "about"
        count = f"{over} {_many(first.items, 'item')} in {_many(first.requests, 'request')}"
        say(f"  first pull: {count}, which takes about {_lasting(first.seconds)}")
    for line in probe.notes:
        say(f"  {line}")
    for line in probe.problems:
        say(f"  problem: {line}")


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _show_access(probe: Probe) -> None:
    """A table, on a terminal. Names come from strangers: they are never markup."""
    from rich.console import Console  # noqa: PLC0415  # costs each start time, and only people at a terminal see it
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("  container", "reads", "writes", "missing", box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for access in probe.access:
        words = ("yes" if access.readable else "no", "yes" if access.writable else "no")
        table.add_row(Text(f"  {access.container}"), *words, Text("\n".join(access.missing)))
    Console(file=sys.stdout, highlight=False).print(table)


def _lasting(seconds: int) -> str:
    return counted(seconds, "second") if seconds < 90 else counted(round(seconds / 60), "minute")


def _json(warnings: list[str], probes: dict[str, Probe], failures: dict[str, str]) -> dict[str, object]:
    connectors: dict[str, object] = {
        name: {
            "identity": p.identity,
            "server": p.server,
            "access": [
                {"container": a.container, "readable": a.readable, "writable": a.writable, "missing": list(a.missing)}
                for a in p.access
            ],
            "fields": dict(p.fields),
            "budget": [{**structs.asdict(rate), "resets": iso(rate.resets)} for rate in p.budget],
            "first_pull": structs.asdict(p.first_pull) if p.first_pull else None,
            "problems": list(p.problems),
            "notes": list(p.notes),
        }
        for name, p in probes.items()
    }
    connectors |= {name: {"problems": [why]} for name, why in failures.items()}
    return {
        "ok": not failures and not any(p.problems for p in probes.values()),
        "connectors": connectors,
        "problems": [],
        "warnings": warnings,
    }


def rule(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="OKR101 or unlinked-work; all without one.")
    ] = None,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,  # noqa: ARG001 - every verb takes it
    verbose: VerboseOption = False,  # noqa: ARG001 - the same
) -> int:
    """Explain a finding rule: what, why it matters, how to fix it."""
    if code is None:
        if output is Output.JSON:
            print_json(
                [{"code": r.code, "slug": r.slug, "severity": r.severity.value, "doc": r.doc} for r in findings.RULES]
            )
        else:
            for spec in findings.RULES:
                say(f"{spec.code}  {spec.severity.value:<8} {spec.slug:<30} {spec.doc.strip().splitlines()[0]}")
        return 0
    found = findings.rule(code)
    if found is None:
        known = [name for r in findings.RULES for name in (r.code, r.slug)]
        raise UsageProblem(f"there is no rule {code!r}; `okrsync rule` lists all{did_you_mean(code, known)}")
    if output is Output.JSON:
        print_json({"code": found.code, "slug": found.slug, "severity": found.severity.value, "doc": found.doc})
    else:
        say(f"{found.code} {found.slug} ({found.severity.value})\n\n{found.doc.strip()}")
    return 0


class SchemaFormat(StrEnum):
    JSON = "json"


def schema(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="okrsync, okrs, connectors or mappings.")] = None,
    output: Annotated[SchemaFormat, typer.Option("--format", help="Always json.")] = SchemaFormat.JSON,  # noqa: ARG001 - for symmetry
    workspace: WorkspaceOption = None,  # noqa: ARG001 - every verb takes it
    verbose: VerboseOption = False,  # noqa: ARG001 - the same
) -> int:
    """Print the JSON Schemas of the workspace files, for editors."""
    found = schemas()
    if kind is not None and kind not in found:
        raise UsageProblem(f"there is no schema {kind!r}; there are: {', '.join(found)}{did_you_mean(kind, found)}")
    print_json(found if kind is None else found[kind])
    return 0
