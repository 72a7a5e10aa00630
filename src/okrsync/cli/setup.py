"""Verbs that need no store: init, check, rule, schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .. import config, findings, logs, mappings
from ..bootstrap import open_session
from ..domain.goals import day
from ..domain.text import did_you_mean
from ..domain.trackers import Probe, TrackerError
from ..domain.workspace import Workspace, WorkspaceError
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
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to write it; made if need be.")] = Path(),
) -> int:
    """Write a commented example workspace."""
    written = config.init(folder, today=day(invocation(ctx).clock()))
    for path in written:
        say(f"wrote {path}")
    if not written:
        say("nothing written: every file is there already")
    say(f"next: edit the files, then `okrsync --workspace {folder} check`")
    return 0


def check(
    ctx: typer.Context,
    online: Annotated[bool, typer.Option("--online", help="Also sign in: permissions, fields, scopes.")] = False,
    output: FormatOption = Output.TEXT,
    workspace: WorkspaceOption = None,
    verbose: VerboseOption = False,
) -> int:
    """Validate the workspace; with --online also credentials, permissions and fields."""
    call = invocation(ctx)
    logs.configure(call.env, verbose=verbose)
    root = call.root(workspace)
    loaded = config.load(root, env=call.env)
    problems = config.check_examples(loaded, mappings.match, now=call.clock())
    if problems:
        raise WorkspaceError(tuple(problems))
    for warning in loaded.warnings:
        note(f"warning: {warning}")
    goals = loaded.goals(day(call.clock()))
    if goals.between_cycles and goals.cycle is not None:
        note(f"warning: no cycle contains today; {goals.cycle.id}, which ended on {goals.cycle.ends}, stays active")
    probes, failures = _probe(call, root) if online else ({}, {})
    if output is Output.JSON:
        print_json(_json(loaded, probes, failures))
    else:
        kinds = {k: len(goals.current(k)) for k in ("bet", "objective", "key_result", "initiative")}
        cycle = goals.cycle.id if goals.cycle else "none"
        counts = ", ".join(f"{n} {kind.replace('_', ' ')}s" for kind, n in kinds.items())
        say(f"ok: cycle {cycle}, {counts}, {len(loaded.connectors)} connectors, {len(loaded.mappings.rules)} rules")
        for name, probe in probes.items():
            _say_probe(name, probe)
        for name, failure in failures.items():
            say(f"\n{name}: {failure}")
    return 1 if failures or any(p.problems for p in probes.values()) else 0


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
    say(f"\n{name}: {probe.server}, signed in as {probe.identity}")
    for access in probe.access:
        reads = "reads" if access.readable else "cannot read"
        writes = "writes" if access.writable else "does not write"
        say(f"  {access.container}: {reads}, {writes}")
        for missing in access.missing:
            say(f"    missing: {missing}")
    for field, found in probe.fields.items():
        say(f"  field {field}: {found}")
    for line in probe.notes:
        say(f"  {line}")
    for line in probe.problems:
        say(f"  problem: {line}")


def _json(loaded: Workspace, probes: dict[str, Probe], failures: dict[str, str]) -> dict[str, object]:
    connectors: dict[str, object] = {
        name: {
            "identity": p.identity,
            "server": p.server,
            "access": [
                {"container": a.container, "readable": a.readable, "writable": a.writable, "missing": list(a.missing)}
                for a in p.access
            ],
            "fields": dict(p.fields),
            "problems": list(p.problems),
            "notes": list(p.notes),
        }
        for name, p in probes.items()
    }
    connectors |= {name: {"problems": [why]} for name, why in failures.items()}
    return {
        "ok": not failures and not any(p.problems for p in probes.values()),
        "connectors": connectors,
        "warnings": list(loaded.warnings),
    }


def rule(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="OKR101 or unlinked-work; all without one.")
    ] = None,
    output: FormatOption = Output.TEXT,
) -> int:
    """Explain a finding rule: what it says, why it matters, how to fix it."""
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
        raise UsageProblem(f"there is no rule {code!r}{did_you_mean(code, known)}; `okrsync rule` lists all")
    if output is Output.JSON:
        print_json({"code": found.code, "slug": found.slug, "severity": found.severity.value, "doc": found.doc})
    else:
        say(f"{found.code} {found.slug} ({found.severity.value})\n\n{found.doc.strip()}")
    return 0


def schema(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="okrsync, okrs, connectors or mappings.")] = None,
) -> int:
    """Print the JSON Schemas of the workspace files, for editors."""
    schemas = config.schemas()
    if kind is not None and kind not in schemas:
        raise UsageProblem(f"there is no schema {kind!r}{did_you_mean(kind, schemas)}; there are: {', '.join(schemas)}")
    say(json.dumps(schemas if kind is None else schemas[kind], indent=2))
    return 0
