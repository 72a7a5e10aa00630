"""Where most linked work of a place goes: a project, a repository, a label, component or milestone in it.

Of a place without linked work, the team that works there tells: the objective that it set itself. Always an objective:
a key result that only such work supports would count as supported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Set

from okrsync.domain.findings import View
from okrsync.domain.goals import Objective

from .groups import Group, groups, place
from .meaning import WITNESSES, Found, Meaning
from .teams import Teams

_MOST = 2 / 3  # of the linked items of a place must serve the objective
_TICKETS = 2  # that these hang on: one epic makes no case for all the rest


def by_place(meaning: Meaning, ids: Set[str], label_prefix: str) -> Iterator[tuple[Group, str, str]]:
    """Group, goal and why; what is in a place before the whole of it. `ids` are the items that rules are looked for."""
    items, verdicts = meaning.view.items, meaning.view.verdicts
    inside = [group for group in groups(items, verdicts, label_prefix) if not group.root]
    teams = Teams(meaning.view)
    for group in (*inside, *_places(meaning.view)):
        if group.members & ids:
            found = _served(meaning, group) or (_of_team(meaning, group, teams) if len(group.when) == 1 else None)
            if found is not None:
                yield group, *found


def _places(view: View) -> Iterator[Group]:
    members: dict[tuple[str, str], set[str]] = {}
    for id_, stored in view.items.items():
        ((key, where),) = place(stored.item).items()
        members.setdefault((key, where), set()).add(id_)
    for (key, where), ids in sorted(members.items()):
        yield Group(when={key: where}, text=where, said=where, members=frozenset(ids))


def _served(meaning: Meaning, group: Group) -> Found | None:
    """The narrowest objective that most linked work of a group serves."""
    linked = [id_ for id_ in group.members if id_ in meaning.serves]
    reached = Counter(goal for id_ in linked for goal in meaning.reaches[id_])
    tickets = {
        goal: len({meaning.witness(id_) for id_ in linked if goal in meaning.reaches[id_]})
        for goal, number in reached.items()
        if meaning.kind[goal] == "objective" and number >= max(WITNESSES, _MOST * len(linked))
    }
    wide = [goal for goal, number in tickets.items() if number >= _TICKETS]
    if not wide:
        return None
    goal = min(wide, key=lambda g: (-len(meaning.above[g]), -reached[g], g))
    said = f"{reached[goal]} of the {len(linked)} linked items of {group.said}, on {tickets[goal]} tickets"
    return goal, f"{said}, serve {goal} ({meaning.title[goal]})"


def _of_team(meaning: Meaning, group: Group, teams: Teams) -> Found | None:
    """The objective of the team of a place where nothing is linked; of several, the lowest above all."""
    if group.members & meaning.serves.keys():
        return None
    ((_, where),) = group.when.items()
    team, why = teams.of(where)
    own = [
        node.id
        for node in meaning.view.goals.current("objective")
        if isinstance(node.value, Objective) and team and node.value.team == team and node.id in meaning.above
    ]
    if not own:
        return None
    shared = set.intersection(*({goal, *meaning.above[goal]} for goal in own))
    if not shared:
        return None
    goal = min(shared, key=lambda g: (-len(meaning.above[g]), g))
    whose = f"the objective of {team}" if len(own) == 1 else f"what the {len(own)} objectives of {team} share"
    return goal, f"nothing of {where} is linked yet; {goal} ({meaning.title[goal]}) is {whose}: {why}"
