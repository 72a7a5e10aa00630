"""What `explain` found, in plain words for people who have never heard of okrsync's vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .remote import REMOTE_LINK

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
    "or comment `/okr link ID`, on a line of its own",
)
_INHERIT = {
    "pull_request": "or name a ticket that is tied to a goal in its title or branch, or close such an issue",
    "issue": "or put it below a ticket that is tied to a goal",
    "subtask": "or tie its parent to a goal: all work below follows",
}
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
    yield from _lost([one for one in data["lost"] if not _told(one, data)])
    if data["alignment"] == "unlinked":
        yield from _leads_to(data["leads_to"])
    yield from _findings(data)
    if data.get("observed_labels"):
        yield ""
        yield f"Labels on it written by okrsync: {', '.join(data['observed_labels'])}."
    fixes = list(_fixes(data))
    if fixes and data["state"] != "open":
        yield ""
        yield "It is closed: nothing has to be done."
    elif fixes:
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
    if unknown := dict.fromkeys(u["id"] for u in data["unknown_ids"]):
        return f"Unlinked: what it names does not exist ({', '.join(unknown)})."
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
    if (via, hop["detail"]) == ("key", REMOTE_LINK):
        verb = "may have" if hop["to"].endswith("*") else "has"  # `jira:*`: whichever issue it is
        return f"{hop['to']} {verb} a web link to {hop['from']}"
    words = _HOP.get(via, "{from} leads to {to}").format_map(hop)
    said = via in _SAID_ALREADY or hop["detail"] in ("", hop["to"])
    return words if said else f"{words} ({hop['detail']})"


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
        yield "Looked at as well:"
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


def _told(one: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    """Whether the verdict itself says it: what an unknown item hangs on."""
    return data["alignment"] == "unknown" and one["to"] in data["why"] and one["why"] in data["why"]


def _lost(lost: Sequence[Mapping[str, str]]) -> Iterator[str]:
    if lost:
        yield ""
        yield "Seen as well, but not decisive:"
    for one in lost[:_MOST]:
        yield f"  - {_hop(one)}: {one['why'].removeprefix('void: ')}"
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
        yield from (*_extend(data), *_tie(data), _EXEMPT)
    elif alignment == "stale":
        yield "close it if it is no longer worth doing, else tie it to a goal of the current cycle:"
        yield from (*_tie(data), _EXEMPT)
    elif alignment == "unknown":
        yield "see that okrsync can read that: each run judges this item anew"
        yield "or say on the item itself which goal it serves, which decides at once:"
        yield from _TIE


def _tie(data: Mapping[str, Any]) -> Iterator[str]:
    yield from _TIE
    if above := next((hop["to"] for hop in data["leads_to"] if hop["alignment"] == data["alignment"]), None):
        yield f"or tie {above} in one of these ways, and this work follows it"
    elif data["kind"] in _INHERIT:
        yield _INHERIT[data["kind"]]


def _extend(data: Mapping[str, Any]) -> Iterator[str]:
    expired = data.get("expired")
    if not expired:
        return
    by = next((one["via"] for one in data["lost"] if one["to"] == f"exempt:{expired['class']}"), "rule")
    where = (
        f"comment `/okr exempt {expired['class']} until DATE` again" if by == "command" else "extend the mapping rule"
    )
    yield f"{where} if the exemption still holds, else"


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
        yield _reach(len(work), sum(w["counts"] for w in work))
    for one in work[:_MOST]:
        through = f" through {one['through']}" if one["through"] != data["id"] else ""
        yield f"  - {one['id']} ({one['state']}, {one['alignment']}{through}): {one['title']}"
        if one["why"]:
            yield f"    does not count: {one['why']}"
    if len(work) > _MOST:
        yield f"  - and {len(work) - _MOST} more"
    yield from _path(data["path"], "What it supports:")
    yield from _findings(data)
    if not work and data["active"] and not data.get("findings") and not data["supported_elsewhere"]:
        label = {"initiative": "initiative", "key_result": "kr", "objective": "objective"}.get(data["kind"])
        if label:
            yield ""
            yield f"What to do: tie the work that moves it, for example with a label `{label}:{data['id']}`."


def _reach(work: int, supporting: int) -> str:
    if work == 1:
        return f"1 piece of work reaches it, and {'counts' if supporting else 'does not count'} as its support today:"
    count = {0: "none of them counts", work: "all of them count"}.get(supporting, f"{supporting} of them count")
    return f"{work} pieces of work reach it; {count} as its support today:"
