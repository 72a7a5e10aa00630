"""What a goal leads to: from the node that evidence names up to the bets."""

from __future__ import annotations

from collections import deque
from datetime import date

from okrsync.domain.goals import Goals, Initiative, Node, Objective
from okrsync.domain.links import Hop, Target
from okrsync.domain.work import Via


class Targets:
    """`Target` and `supports` hops of every node, each worked out once."""

    def __init__(self, goals: Goals) -> None:
        self._goals = goals
        self._targets: dict[tuple[str, str, str], Target] = {}
        self._supports: dict[tuple[str, str, str], tuple[Hop, ...]] = {}
        self._teams: dict[tuple[str, ...], str] = {}

    def of(self, node: Node) -> Target:
        key = (node.kind, *node.key)
        if key not in self._targets:
            self._targets[key] = self._build(node)
        return self._targets[key]

    def supports(self, node: Node) -> tuple[Hop, ...]:
        """Hops up to the nearest bet; where no bet is reached, up to the top by the first parents."""
        key = (node.kind, *node.key)
        if key not in self._supports:
            self._supports[key] = self._climb(node)
        return self._supports[key]

    def team(self, target: Target) -> str:
        """The team of the first objective a target reaches directly that names one."""
        team = self._teams.get(target.objectives)
        if team is None:
            team = self._teams[target.objectives] = self._find_team(target)
        return team

    def _find_team(self, target: Target) -> str:
        for id_ in target.objectives:
            node = self._goals.find(id_, ("objective",))
            if node is not None and isinstance(node.value, Objective) and node.value.team:
                return node.value.team
        return ""

    def _build(self, node: Node) -> Target:
        goals = self._goals
        key_results: dict[str, None] = {}
        objectives: dict[Node, None] = {}
        if node.kind == "objective":
            objectives[node] = None
        elif node.kind == "key_result":
            key_results[node.id] = None
            objectives.update(dict.fromkeys(goals.parents(node)))
        else:
            for supported in goals.parents(node):
                if supported.kind == "key_result":
                    key_results[supported.id] = None
                    objectives.update(dict.fromkeys(goals.parents(supported)))
                else:
                    objectives[supported] = None
        ancestors: dict[Node, None] = {}
        bets: dict[Node, None] = {}
        queue = deque(objectives)
        while queue:
            for parent in goals.parents(queue.popleft()):
                if parent.kind == "bet":
                    bets[parent] = None
                elif (
                    parent not in objectives and parent not in ancestors
                ):  # objectives may support each other in a loop
                    ancestors[parent] = None
                    queue.append(parent)
        counts, ended = goals.counts(node), goals.ended_on(node)
        return Target(
            node=node.id,
            initiative=node.id if isinstance(node.value, Initiative) else None,
            key_results=tuple(key_results),
            objectives=tuple(o.id for o in objectives),
            ancestors=tuple(a.id for a in ancestors),
            bets=tuple(b.id for b in bets),
            active=counts,
            awaiting_renewal=counts and not goals.is_active(node),
            ended=ended if ended != date.min else None,  # done or stopped, but nobody wrote when
            cycle=node.cycle.id if node.cycle else None,
        )

    def _climb(self, start: Node) -> tuple[Hop, ...]:
        came_from: dict[Node, Node | None] = {start: None}
        queue = deque([start])
        top = start
        while queue:
            node = queue.popleft()
            if node.kind == "bet":
                top = node
                break
            for parent in self._goals.parents(node):
                if parent not in came_from:
                    came_from[parent] = node
                    queue.append(parent)
        if top.kind != "bet":
            top = self._first_parents(start, came_from)
        hops: list[Hop] = []
        node, below = top, came_from[top]
        while below is not None:
            hops.append(Hop(origin=below.id, via=Via.SUPPORTS, to=node.id, detail=node.title))
            node, below = below, came_from[below]
        return tuple(reversed(hops))

    def _first_parents(self, start: Node, came_from: dict[Node, Node | None]) -> Node:
        """The end of the chain of first parents, as far as it is on the shortest ways already found."""
        top = start
        while True:
            above = [p for p in self._goals.parents(top) if came_from.get(p) == top]
            if not above:
                return top
            top = above[0]
