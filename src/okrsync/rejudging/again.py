"""Findings of what the store holds: of all of it, or of what changed since with what is below that."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import attrgetter
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from okrsync import findings as rules
from okrsync import linking, reports
from okrsync.bootstrap import Session
from okrsync.domain.findings import Finding, Severity, Standing, Summary, View
from okrsync.domain.links import Alignment, RuleMatches
from okrsync.domain.outlines import OPEN, Outlines, end, uncounted
from okrsync.domain.storage import Changes, Look
from okrsync.judging import Judging, Looked, uncollected

from .basis import basis
from .ids import Ids
from .kept import GONE, Kept, led_to
from .memory import location, recall, remember
from .sayings import SILENT, Sayings
from .told import Told, changed, mended, texts, together
from .upward import Upward

FEWEST = 20_000
"""Fewer items are judged anew each time: that takes less than a second."""
SHARE = 0.25
"""Where a larger share of all items has to be judged again, all are."""
LITTLE = 0.02
"""Where no larger share of all items changed since, that is judged again faster than all of it is written down."""
_BY_ITSELF = frozenset((Alignment.LINKED, Alignment.EXEMPT))


class Found(Struct, kw_only=True):
    """The findings of one moment. The view holds how items stand together, none by itself."""

    view: View
    summary: Summary
    severities: Counter[Severity]
    texts: list[bytes | memoryview]
    """The JSON of `findings --format json`, in pieces."""


def findings(session: Session, *, fewest: int = FEWEST, share: float = SHARE, little: float = LITTLE) -> Found:
    """Links and judges what the store holds, as `judging.judge` does. Reads nothing but the store and what is kept;
    keeps the result where there are at least so many items and all sources could be read."""
    judging = Judging(session)
    place = location(session) if _lasts(judging) else None
    based = basis(session, judging) if place else ""
    with uncollected(), judging.look() as look:
        kept, worth_keeping = _again(session, judging, look, place, based, share, little) if place else (None, False)
        if kept is None:
            kept = _anew(session, judging, look, based)
            worth_keeping = len(kept.ids) >= fewest
        if place and worth_keeping:
            kept.make_room()
            remember(place, kept)
    return _found(session, judging, kept)


def _again(
    session: Session, judging: Judging, look: Look, place: Path, based: str, share: float, little: float
) -> tuple[Kept | None, bool]:
    """What was kept, brought up to what a look sees, and whether it is worth keeping so. None where all has to be
    judged anew: the two need not fit into memory together."""
    kept = recall(place)
    if kept is None or kept.basis != based:
        return None, False
    again = _Again(session, judging, look, kept)
    return (kept, again.worth_keeping) if again.judge(share, little) else (None, False)


def _lasts(judging: Judging) -> bool:
    """Whether what is judged now may hold for longer, and hangs on nothing but items and what is above them: an issue's
    link to a pull request stands on neither."""
    return (
        not judging.asks_for_time
        and judging.remote is None
        and all(s.complete and not s.unreadable for s in judging.sources)
    )


def _found(session: Session, judging: Judging, kept: Kept) -> Found:
    """With what the rules say that ask how many items stand in which way."""
    known = [structs.replace(way, count=n) for way, n in zip(kept.ways, kept.counts, strict=True) if way and n]
    view = judging.view(known=known, verdicts={})
    told = _told(session, view, rules.evaluate(view, session.workspace.settings.rules, rules.OF_ALL))
    found = changed(kept.found, set(), told)
    since = session.reading.since()
    run = reports.RunInfo(id=judging.run, at=judging.now)
    severities = sorted(Severity, key=attrgetter("rank"))
    counts = Counter[Severity]()
    for (rank, *_), stretches in found.items():
        counts[severities[rank]] += sum(some.number for some in stretches)
    return Found(
        view=view,
        summary=Summary.of(view),
        severities=counts,
        texts=list(reports.findings_texts(view, texts(found, since), run)),
    )


def _told(session: Session, view: View, found: Iterable[Finding]) -> list[Told]:
    found = tuple(found)
    texts = reports.finding_texts(view, found, restricted=session.workspace.settings.reports.restricted)
    return [
        Told((f.severity.rank, f.code, f.subject.kind), f.subject.id, text)
        for f, text in zip(found, texts, strict=True)
    ]


def _of_work(session: Session, judging: Judging, looked: Looked, listed: list[Standing]) -> list[Told]:
    told, verdicts = looked.told(listed)
    view = judging.view(known=listed, told=told, verdicts=verdicts)
    return _told(session, view, rules.evaluate(view, session.workspace.settings.rules, rules.OF_WORK))


def _anew(session: Session, judging: Judging, look: Look, based: str) -> Kept:
    said: dict[int, int] = {}
    sayings = Sayings([])

    def noting() -> Iterator[Outlines]:
        first = 0
        for some in judging.outlines(look):
            said.update((first + offset, sayings.number(whole)) for offset, whole in some.whole.items())
            first += len(some.ids)
            yield some

    looked = judging.look_over(look, noting())
    graph, stands = looked.resolution.graph, linking.standings_together(looked.resolution, looked.ends)
    number = len(graph.ids)
    below, beside = led_to(graph.up, number)
    told = _of_work(session, judging, looked, stands.listed)
    kept = Kept(
        basis=based,
        mark=look.mark(),
        ids=Ids.of(graph.ids),
        up=graph.up,
        below=below,
        beside=beside,
        forks=graph.forks,
        lost=graph.nowhere(),
        outlines=graph.outlines,
        sayings=sayings.packed,
        said=array("q", bytes(8 * number)),
        ways=stands.ways,
        stands=stands.numbers,
        counts=stands.counts,
        answers=[b""],
        answered=array("i", bytes(4 * number)),
        telling=array("B", bytes(number)),
        found=together(told),
    )
    for place, saying in said.items():
        kept.said[place] = saying
    for id_, answer in looked.answers.items():
        kept.answered[graph.index[id_]] = kept.answer(_answering(answer))
    for one in told:
        kept.telling[graph.index[one.id]] = True
    return kept


class _Again:
    """Brings what was kept up to what a look sees."""

    def __init__(self, session: Session, judging: Judging, look: Look, kept: Kept) -> None:
        self._session = session
        self._judging = judging
        self._look = look
        self._kept = kept
        self._gone: set[int] = set()
        self._whole: set[int] = set()  # what is judged again with all that is below it
        self._sayings = Sayings(kept.sayings)
        self._upward = Upward(judging, look, kept, self._sayings)
        self._said: dict[int, int] = {}
        self._changed = 0
        self.worth_keeping = False

    def judge(self, share: float, little: float) -> bool:
        """False where all has to be judged anew; what was kept is of no use any more then."""
        look, kept = self._look, self._kept
        if look.mark() == kept.mark:
            return True
        most = int(share * len(kept.ids))
        changes = self._judging.changed(look, kept.mark, most)
        if changes is None:
            return False
        dirty = self._dirty(changes)
        while len(dirty) <= most:
            about = frozenset(kept.ids[place] for place in dirty)
            looked = self._judging.look_over(look, self._upward.outlines(dirty), about)
            answers = {id_: _answering(answer) for id_, answer in looked.answers.items()}
            if otherwise := self._answered_otherwise(dirty, answers) - self._whole:
                more = kept.all_below(otherwise) - self._gone
                self._whole |= more
                if not more <= dirty:
                    dirty |= more
                    continue
            self.worth_keeping = self._changed > little * len(kept.ids) or look.fades(kept.mark)
            kept.mark = look.mark()
            return self._take(dirty, looked, answers)
        return False

    def _dirty(self, changes: Changes) -> set[int]:
        """The places of what has to be judged again; notes what is gone and what is new."""
        kept = self._kept
        dirty: set[int] = set()
        spreading: set[int] = set()
        for some in changes.held:
            self._changed += len(some.ids)
            for offset, id_ in enumerate(some.ids):
                whole = some.whole.get(offset)
                outline, said = some.outlines[offset], SILENT
                if whole is not None:
                    outline, said = uncounted(outline) if whole.chased else outline, self._sayings.number(whole)
                place = kept.ids.find(id_)
                if place is None:
                    place = kept.add(id_)
                self._upward.note(place, some, offset)
                before = kept.outlines[place]
                alike = before != GONE and uncounted(before) == uncounted(outline) and kept.said[place] == said
                if alike and before == outline and kept.up[place] == linking.NOT_FOLLOWED:
                    continue  # it does not count, and nothing that does is below it
                if not (alike and self._leads(place, some.targets[offset])):
                    spreading.add(place)
                elif before != outline and not self._stands_by_itself(place):
                    spreading.add(place)  # it may have been the top of its tree, or be that now
                elif kept.answered[place]:
                    if end(outline) != OPEN:
                        spreading.add(place)  # the rules are only asked for those below it
                elif before == outline and not kept.telling[place]:
                    continue  # it stands as it did, and nothing is told of it
                dirty.add(place)
                self._said[place] = said
        self._changed += len(changes.gone)
        found = map(kept.ids.find, changes.gone)
        gone = {place for place in found if place is not None and kept.outlines[place] != GONE}
        below = kept.all_below(spreading | gone)
        for place in gone:
            kept.drop(place)
        self._gone, self._whole = gone, below
        return (dirty | below) - gone

    def _leads(self, place: int, target: str | None) -> bool:
        """Whether an item's one reference leads there as before."""
        kept = self._kept
        above = kept.up[place]
        return place not in kept.lost and target == (None if above < 0 else kept.ids[above])

    def _stands_by_itself(self, place: int) -> bool:
        way = self._kept.ways[self._kept.stands[place]]
        return way is not None and way.alignment in _BY_ITSELF

    def _answered_otherwise(self, dirty: Iterable[int], answers: dict[str, bytes]) -> set[int]:
        """The places of items of which the mapping rules say something else than before, or were not asked now: that
        may be only because what is below them was not looked over."""
        kept = self._kept
        asked = (place for place in dirty if kept.answered[place])
        return {place for place in asked if answers.get(kept.ids[place]) != kept.answers[kept.answered[place]]}

    def _take(self, dirty: set[int], looked: Looked, answers: dict[str, bytes]) -> bool:
        """False where what is held is not what was kept and what changed since."""
        kept, places = self._kept, self._upward.places
        if not dirty.issubset(places):
            return False
        stands = linking.standings_together(looked.resolution, looked.ends)
        numbers = [kept.way(way) for way in stands.ways]
        ways = {place: numbers[way] for place, way in zip(places, stands.numbers, strict=True) if place in dirty}
        kept.count(ways)
        told = _of_work(self._session, self._judging, looked, stands.listed)
        gone = {kept.ids[place] for place in chain(dirty, self._gone) if kept.telling[place]}
        kept.found = changed(kept.found, gone, told)
        if self.worth_keeping:  # else what is told next is told from what was kept before
            self._note(ways, looked, answers, told)
        return True

    def _note(self, ways: Mapping[int, int], looked: Looked, answers: dict[str, bytes], told: list[Told]) -> None:
        """How those stand that were judged again, by place."""
        kept, places, graph = self._kept, self._upward.places, looked.resolution.graph
        for place, said in self._said.items():
            kept.said[place] = said
        lost = graph.nowhere()
        for of, place in enumerate(places):  # what is above may be led from and asked for the first time
            above, answer = graph.up[of], answers.get(graph.ids[of])
            new = place in ways
            # else nobody asks, as it may be above what was not looked over, or nothing is new
            if graph.connected[of] and (new or kept.up[place] == linking.NOT_FOLLOWED):
                forks = graph.forks.get(of, ())
                kept.lead(place, above if above < 0 else places[above], tuple(map(places.__getitem__, forks)))
                if of in lost:
                    kept.lost[place] = lost[of]
                else:
                    kept.lost.pop(place, None)
            if new:
                kept.outlines[place] = graph.outlines[of]
                kept.stands[place] = ways[place]
            elif answer is None:
                continue
            kept.answered[place] = kept.answer(answer or b"")
        for place in chain(ways, self._gone):
            kept.telling[place] = False
        for one in told:
            kept.telling[places[graph.index[one.id]]] = True
        kept.below, kept.beside = led_to(kept.up, len(kept.ids))
        kept.found = mended(kept.found)


def _answering(answer: RuleMatches) -> bytes:
    """A digest, never empty."""
    return msgspec.msgpack.encode(answer)
