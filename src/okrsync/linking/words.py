"""What `explain` found, in plain words for people who have never heard of okrsync's vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KIND = {
    "epic": "epic",
    "issue": "issue",
    "subtask": "sub-task",
    "pull_request": "pull request",
    "initiative": "initiative",
    "key_result": "key result",
    "objective": "objective",
    "bet": "strategic bet",
}
_HOP = {
    "field": "{from} names {to} in its OKR field",
    "label": "{from} carries the label {detail}",
    "trailer": "{from} says `{detail}` in its description",
    "command": "{from} was tied to {to} by a comment: {detail}",
    "pinned": "{from} is {detail} in the goals",
    "parent": "{from} belongs to {to}",
    "closes": "{from} closes {to}",
    "key": "{from} names the ticket {to}",
    "implements": "{from} implements {to}",
    "milestone": "the milestone of {from} says `{detail}`",
    "rule": "a mapping rule ties {from} to {to} ({detail})",
    "supports": "{from} supports {to}",
}
_SAID_ALREADY = {"label", "trailer", "command", "pinned", "milestone", "rule"}
_MOST = 20  # lines of work or of what lost; the JSON has them all

_TIE = (
    "give it a label `initiative:ID`, `kr:ID` or `objective:ID`",
    "or write a line `OKR: ID` in its description",
    "or give it a parent that is tied to a goal (a pull request may instead name the ticket in its title, "
    "or close an issue)",
)
_EXEMPT = "if it serves no goal on purpose, give it a label `exempt:CLASS`, such as `exempt:tech-debt`"


def explain_text(data: Mapping[str, Any]) -> str:
    """The answer of `explain` as plain text, one thought a line; with `findings`, where the caller added them as their
    JSON. Holds titles and labels as strangers wrote them."""
    lines = _goal(data) if "work" in data else _work(data)
    return "\n".join(lines) + "\n"


def _work(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"{data['id']}: {data['title']}"
    yield f"({_KIND[data['kind']]}, {data['state']}) {data['url']}".rstrip()
    yield ""
    yield _verdict(data)
    if data.get("awaiting_renewal"):
        yield "That goal has ended, but so recently that the link still counts: renew it soon."
    yield from _path(data["path"], "How it gets there:")
    yield from _also(data["also"])
    yield from _lost(data["lost"])
    if data["alignment"] == "unlinked":
        yield from _leads_to(data["leads_to"])
    yield from _findings(data)
    if data.get("observed_labels"):
        yield ""
        yield f"Labels on it written by okrsync: {', '.join(data['observed_labels'])}."
    fixes = list(_fixes(data))
    if fixes:
        yield ""
        yield "What to do:"
        yield from (f"  - {fix}" for fix in fixes)
    for suggestion in data["suggestions"]:
        yield f"  - perhaps it belongs to {suggestion['initiative']}: {suggestion['why']}"


def _verdict(data: Mapping[str, Any]) -> str:
    alignment = data["alignment"]
    if alignment == "linked":
        return f"Linked: this work serves {_served(data['targets'])}."
    if alignment == "stale":
        return f"Stale: this work is tied only to goals that have ended: {_served(data['targets'])}."
    if alignment == "exempt":
        return f"Exempt: this work serves no goal, and that is agreed ({data['exempt_class']})."
    if alignment == "unknown":
        return f"Unknown: it cannot be told whether this work serves a goal, because {data['why']}."
    if expired := data.get("expired"):
        return f"Unlinked: it was exempt as {expired['class']}, but only until {expired['until']}."
    return "Unlinked: nothing says which goal this work serves."


def _served(targets: Sequence[Mapping[str, Any]]) -> str:
    said = []
    for target in targets:
        ids = [target["initiative"], *target["key_results"], *target["objectives"]]
        said.append(" > ".join(id_ for id_ in ids if id_))
    return "; ".join(dict.fromkeys(said))


def _path(hops: Sequence[Mapping[str, str]], heading: str) -> Iterator[str]:
    if hops:
        yield ""
        yield heading
    for number, hop in enumerate(hops, 1):
        yield f"  {number}. {_hop(hop)}"


def _hop(hop: Mapping[str, str]) -> str:
    via = hop["via"]
    words = _HOP.get(via, "{from} leads to {to}").format_map(hop)
    return words if via in _SAID_ALREADY or not hop["detail"] else f"{words} ({hop['detail']})"


def _also(hops: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if hops:
        yield ""
        yield "What counts as well:"
    said = list(dict.fromkeys(map(_hop, hops)))  # one trailer may name several goals
    yield from (f"  - {words}" for words in said[:_MOST])
    if len(said) > _MOST:
        yield f"  - and {len(said) - _MOST} more"


def _leads_to(hops: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if hops:
        yield ""
        yield "Where it was looked as well:"
    yield from (f"  - {_hop(hop)}, which is {hop['alignment']} itself" for hop in hops[:_MOST])


def _findings(data: Mapping[str, Any]) -> Iterator[str]:
    findings = data.get("findings", ())
    if findings:
        yield ""
        yield "Findings about it:"
    for finding in findings:
        yield f"  - {finding['code']} {finding['slug']}: {finding['message']}"
        if data["alignment"] in (None, "linked", "exempt"):  # else "What to do" says it below
            yield f"    fix: {finding['remedy']}"


def _lost(lost: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if lost:
        yield ""
        yield "Seen as well, but not decisive:"
    for one in lost[:_MOST]:
        yield f"  - {_hop(one)}: {one['why']}"
    if len(lost) > _MOST:
        yield f"  - and {len(lost) - _MOST} more"


def _fixes(data: Mapping[str, Any]) -> Iterator[str]:
    for unknown in data["unknown_ids"]:
        hint = unknown["suggestion"] or "; no goal has this id"
        yield f"correct `{unknown['detail']}`: {unknown['id']} is unknown{hint}"
    for command in data["commands"]:
        if command["refused"]:
            yield f"correct the command `{command['line']}`: {command['refused']}"
    for near in data["near_keys"]:
        yield f"if `{near['written']}` in its {near['where']} means {near['meant']}, write the key as Jira does, or"
    alignment = data["alignment"]
    if alignment == "unlinked":
        if data.get("expired"):
            yield "extend the exemption in the mapping rules if it still holds, or"
        yield from (*_TIE, _EXEMPT)
    elif alignment == "stale":
        yield "tie it to a goal of the current cycle, or close it if it is no longer worth doing:"
        yield from _TIE
    elif alignment == "unknown":
        yield "see that okrsync can read it; this item is judged again in the next run"


def _goal(data: Mapping[str, Any]) -> Iterator[str]:
    yield f"{data['id']}: {data['title']}"
    cycle = f", {data['cycle']}" if data["cycle"] else ""
    owner = data["owner"]
    owner = ", ".join(owner) if isinstance(owner, list) else owner
    yield f"({_KIND[data['kind']]}{cycle}; owner: {owner or 'nobody'})"
    yield ""
    work = data["work"]
    if not data["active"]:
        yield f"Ended on {data['ended']}." if data["ended"] else "Ended."
    if elsewhere := data["supported_elsewhere"]:
        yield f"Supported elsewhere, to be reviewed by {elsewhere['review_by']}: {elsewhere['what']}."
    if not work:
        yield "No work in Jira and GitHub reaches it."
    else:
        reach = "piece of work reaches" if len(work) == 1 else "pieces of work reach"
        supporting = sum(w["counts"] for w in work)
        yield f"{len(work)} {reach} it; {supporting} of them count as its support today:"
    for one in work[:_MOST]:
        through = f" through {one['through']}" if one["through"] != data["id"] else ""
        yield f"  - {one['id']} ({one['state']}, {one['alignment']}{through}): {one['title']}"
        if one["why"]:
            yield f"    does not count: {one['why']}"
    if len(work) > _MOST:
        yield f"  - and {len(work) - _MOST} more"
    yield from _path(data["path"], "What it supports:")
    yield from _findings(data)
    if not work and data["active"] and not data.get("findings"):
        label = {"initiative": "initiative", "key_result": "kr", "objective": "objective"}.get(data["kind"])
        if label:
            yield ""
            yield f"What to do: tie the work that moves it, for example with a label `{label}:{data['id']}`."
