"""Whose place a project or repository is, told from its work and from the names of teams."""

from __future__ import annotations

from collections import Counter

from okrsync.domain.findings import View
from okrsync.domain.goals import Objective

from .groups import place

_SOME = 2  # items of a place that have a team, to tell whose it is
_MOST = 0.6  # of these must be of one


class Teams:
    """Whose place it is, told from the work that has a team and from the names of the teams that have objectives."""

    def __init__(self, view: View) -> None:
        self.without: Counter[tuple[str, str]] = Counter()  # open items of a place that have no team
        self._known: dict[str, Counter[str]] = {}
        for id_, stored in view.items.items():
            ((key, where),) = place(stored.item).items()
            team = view.verdicts[id_].team
            if team:
                self._known.setdefault(where, Counter())[team] += 1
            elif stored.item.open:
                self.without[key, where] += 1
        self._names = sorted(
            {n.value.team for n in view.goals.current("objective") if isinstance(n.value, Objective) and n.value.team}
        )

    def of(self, where: str) -> tuple[str, str]:
        """A team and why it is that one; no team where nothing tells."""
        known = self._known.get(where, Counter())
        if known:
            (team, number), total = known.most_common(1)[0], known.total()
            if number >= _SOME and number >= _MOST * total:
                return team, f"{number} of the {total} that have one belong to {team}"
        begins = short(where).casefold().split("-")[0]
        alike = [n for n in self._names if len(short(where)) > 2 and n.casefold().startswith(begins)]
        if len(alike) == 1:
            return alike[0], f"{where} begins like {alike[0]}"
        return "", ""


def short(where: str) -> str:
    """A repository without its owner; a project as it is."""
    return where.rpartition("/")[2]
