"""What each mapping rule catches of the work at hand, and which rules do nothing or too much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct

from okrsync.domain.goals import day
from okrsync.domain.rules import AnyAllNone, Mappings, Rule, When
from okrsync.domain.work import WorkItem

from .conditions import Facts
from .matcher import Matcher
from .patterns import folded, is_literal

TOO_MUCH = 0.5  # share of open work; a rule this wide hides what nobody has thought about
FEWEST = 20  # open items from which shares and "nothing" say something


class RuleUse(Struct, frozen=True, kw_only=True):
    """`matches` holds for each item that `when` matches the rule that takes it: this one, or one that stands before
    it. A rule that links (or exempts) and names a team takes an item if it does either."""

    rule: Rule
    in_force: bool
    matches: dict[str, str]

    @property
    def takes(self) -> int:
        return sum(1 for taker in self.matches.values() if taker == self.rule.name)


def coverage(
    mappings: Mappings, items: Iterable[WorkItem], now: datetime, *, label_prefix: str = "okr/"
) -> tuple[RuleUse, ...]:
    """What each rule catches of these items, in the order of the rules. Raises PatternError."""
    rules = Matcher(mappings, label_prefix=label_prefix).rules
    today = day(now)
    uses = [RuleUse(rule=r.rule, in_force=r.in_force(today), matches={}) for r in rules]
    for item in items:
        facts = Facts(item, now, label_prefix)
        decided = teamed = ""
        for ready, use in zip(rules, uses, strict=True):
            if not ready.holds(facts):
                continue
            rule = ready.rule
            taker = ""
            if use.in_force and (rule.link or rule.exempt):
                taker = decided = decided or rule.name
            if rule.team is not None:
                teamed = teamed or rule.name
                taker = teamed if taker != rule.name else taker
            use.matches[item.id] = taker
    return tuple(uses)


def remarks(uses: Iterable[RuleUse], total: int) -> Iterator[str]:
    """What is odd about the rules, given what they catch of `total` open items; nothing where these are too few.
    An exemption that has ended still does something while it matches: OKR105 names it."""
    for use in uses if total >= FEWEST else ():
        name = repr(use.rule.name)
        takers = set(use.matches.values()) - {""}
        if not use.matches:
            ended = "" if use.in_force else f"ended on {use.rule.until} and "
            yield f"rule {name} {ended}matches none of the {total} open items; correct `when` or take it out"
        elif takers and use.rule.name not in takers:
            first = ", ".join(map(repr, sorted(takers)))
            yield f"rule {name} is never reached: all that it matches is taken by {first} before it; move it up"
        elif use.rule.team is None and use.takes > TOO_MUCH * total:
            wide = f"takes {use.takes} of the {total} open items"
            yield f"rule {name} {wide}; narrow `when`, else it hides what nobody has thought about"


def unreachable(mappings: Mappings) -> dict[str, str]:
    """Rules, by name, that cannot be reached whatever the work is: all that they ask for, an earlier one asks for."""
    found: dict[str, str] = {}
    for n, rule in enumerate(mappings.rules):
        decides, names_team = bool(rule.link or rule.exempt), rule.team is not None
        wider = [e for e in mappings.rules[:n] if _implied(rule, e)]
        first = next((e for e in wider if (e.link or e.exempt) and e.until is None), None)
        team = next((e for e in wider if e.team is not None), None)
        blocker = first or team
        if blocker and (first or not decides) and (team or not names_team):
            why = f"{blocker.name!r} stands before it and matches all that it matches"
            found[rule.name] = f"rule {rule.name!r} is never reached: {why}; move it up or take it out"
    return found


def _implied(narrow: Rule, wide: Rule) -> bool:
    """Whether everything that matches `narrow` is known to match `wide`."""
    return all(
        (wanted := getattr(wide.when, key)) is None or _covers(key, wanted, getattr(narrow.when, key))
        for key in When.model_fields
    )


def _covers(key: str, wide: Any, narrow: Any) -> bool:
    if wide == narrow:
        return True
    if not (isinstance(wide, AnyAllNone) and isinstance(narrow, AnyAllNone)) or wide.all or wide.none or not narrow.any:
        return False
    if key in ("title", "body", "branch"):  # what an expression covers cannot be told
        return set(narrow.any) <= set(wide.any)
    if "*" in wide.any:
        return True
    literals = {folded(p) for p in wide.any}
    return all(is_literal(p) and folded(p) in literals for p in narrow.any)


def rule_text(data: dict[str, Any], most: int = 20) -> str:
    """The answer of `explain --rule` as plain text. Holds titles as strangers wrote them."""
    does = [f"links to {', '.join(data['link'])}"] if data["link"] else []
    does += [f"exempts as {data['exempt']}"] if data["exempt"] else []
    does += [f"gives the team {data['team']}"] if data["team"] else []
    until = f" until {data['until']}" if data["until"] else ""
    lines = [f"{data['rule']}: {', '.join(does)}{until}{'' if data['in_force'] else ' (ended)'}"]
    lines.append(f"It matches {data['matches']} of {data['open']} open items and takes {data['takes']} of them.")
    lines += [f"note: {remark}" for remark in data["remarks"]]
    for item in data["items"][:most]:
        taken = "" if item["taken_by"] == data["rule"] else f"; taken by {item['taken_by'] or 'nobody'}"
        decides = (
            "" if item["decides"] or taken or not (data["link"] or data["exempt"]) else "; evidence on it says more"
        )
        lines.append(f"  - {item['id']} ({item['alignment']}{taken}{decides}): {item['title']}".rstrip())
    if len(data["items"]) > most:
        lines.append(f"  - and {len(data['items']) - most} more")
    return "\n".join(lines)
