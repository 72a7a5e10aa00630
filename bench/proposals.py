"""`python bench/proposals.py folder`: what `bootstrap` proposes for the demo company and for the Kafka replay.

folder is the one that holds `kafka/pull_requests.jsonl`. Prints what the narrow rules do to the unlinked open work when
accepted as they are, what the wide ones add, how much of that is upkeep which the narrow ones exempt, each rule with
its reason, and how right they are about work whose links are known:

- The demo on its first day, when nobody had tied anything yet, against what its people tied later.
- The replay with the links of half of the tickets taken away, and of a fifth, until each was: which of these the rules
  made from the rest link by their own titles, and whether to the same objective (wide rules: or to one above it).
"""

from __future__ import annotations

import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs

from okrsync import judging, linking, logs, mappings, proposing
from okrsync import sync as story
from okrsync.bootstrap import Session, open_session
from okrsync.domain.findings import Summary
from okrsync.domain.links import Alignment, RuleMatch, Verdict
from okrsync.domain.rules import Mappings, Rule
from okrsync.domain.work import StoredItem
from okrsync.judging import Judged
from okrsync.mappings.propose import propose
from okrsync.mappings.wide import propose_wide
from okrsync.proposing import Proposed
from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock, World, company, copy_workspace, untied
from okrsync.sandbox.replay import kafka_world, replay_workspace

NOW = datetime(2024, 10, 25, 9, 0, tzinfo=UTC)  # the recorded data ends here
ROOT = Path(".replay")
SHUFFLES = (1, 2, 3, 4)
NARROW, WIDE, UPKEEP = "narrow rules", "wide rules", "wide rules, what is upkeep"
KIP = re.compile(r"\(?\bKIP[- ]?\d+\b[):]?", re.IGNORECASE)


def read(name: str, world: World, now: datetime, make: Callable[[Path, Sandbox], object]) -> Path:
    """A workspace whose store holds the world."""
    target, clock = ROOT / name, StoryClock(now)
    shutil.rmtree(target, ignore_errors=True)
    with Sandbox(world, clock=clock) as sandbox:
        make(target, sandbox)
        env = {"OKRSYNC_JIRA_TOKEN": sandbox.token, "OKRSYNC_GITHUB_TOKEN": sandbox.token}
        with open_session(target, env=env, clock=clock, sleep=lambda s: clock.advance(timedelta(seconds=s))) as session:
            story.sync(session)
    return target


def opened(target: Path, now: datetime) -> AbstractContextManager[Session]:
    env = {"OKRSYNC_JIRA_TOKEN": "-", "OKRSYNC_GITHUB_TOKEN": "-"}
    return open_session(target, env=env, clock=lambda: now, sleep=lambda _: None)


def without_rules(target: Path, sandbox: Sandbox) -> None:
    copy_workspace(target, sandbox)
    for path in (target / "mappings").glob("*.yaml"):
        path.unlink()


def tell(name: str, judged: Judged, proposed: Proposed) -> None:
    print(f"{name}: of {judged.summary.open} open items {judged.summary.unlinked} are unlinked")
    deciding = [p for p in proposed.proposals if not p.team]
    narrow, wide = [p for p in deciding if not p.wide], [p for p in deciding if p.wide]
    _figures(f"{len(narrow) + len(proposed.spare)} narrow rules", proposed.before, proposed.narrow)
    _figures(f"and {len(wide)} wide ones", proposed.before, proposed.after)
    print(f"  {proposed.narrow.exempt - proposed.after.exempt} are upkeep that the narrow ones exempt")
    for p in deciding:
        upkeep = f", {p.upkeep} of them upkeep" if p.upkeep else ""
        print(f"  {p.name} → {p.link or p.exempt}: {p.items}{upkeep} ({', '.join(p.examples)})")
        for why in p.why:
            print(f"      {why}")


def _figures(what: str, before: Summary, after: Summary) -> None:
    linked, exempt, stale = (getattr(after, f) - getattr(before, f) for f in ("linked", "exempt", "stale"))
    wanting = before.unlinked - exempt
    print(
        f"  {what}: link {linked} ({linked / before.unlinked:.0%} of the unlinked), exempt {exempt}, show {stale} as "
        f"stale, leave {after.unlinked}; of the {wanting} that want a goal {linked + stale} are tied to one "
        f"({(linked + stale) / wanting:.0%}); alignment {_rate(before)} → {_rate(after)}"
    )


def _rate(summary: Summary) -> str:
    return "nothing" if summary.alignment_rate is None else f"{summary.alignment_rate:.0%}"


def right(view: Mapping[str, Verdict], truth: Verdict, id_: str) -> bool:
    """Whether all that it is tied to is, or stands above, an objective that it is known to serve."""
    known = {o for t in truth.targets for o in (*t.objectives, *t.ancestors)}
    return all(set(t.objectives) <= known for t in view[id_].targets)


def score(truth: Mapping[str, Verdict], after: Mapping[str, Verdict], asked: set[str]) -> tuple[int, int, Counter[str]]:
    """Right ones, linked ones, and the wrong ones by rule."""
    linked = {i for i in asked if after[i].alignment in (Alignment.LINKED, Alignment.STALE)}
    wrong = {i for i in linked if not right(after, truth[i], i)}
    return len(linked) - len(wrong), len(linked), Counter(after[i].rule or "inherited" for i in wrong)


def demo() -> None:
    shipped = read("shipped", company(STORY_NOW), STORY_NOW, copy_workspace)
    bare = read("bare", company(STORY_NOW), STORY_NOW, without_rules)
    first = read("first", untied(STORY_NOW), STORY_NOW, without_rules)
    truth: Mapping[str, Verdict] = {}
    for name, target in (("as shipped", shipped), ("without rules", bare), ("first day", first)):
        with opened(target, STORY_NOW) as session:
            judged = judging.judge(session)
            truth = truth or judged.view.verdicts
            proposed = proposing.propose(session, judged)
            tell(f"demo, {name}", judged, proposed)
            after = proposing.accepted(session, judged, proposed.proposals)
            was = judged.view.verdicts
            asked = {i for i, s in judged.view.items.items() if s.item.open and was[i].alignment is Alignment.UNLINKED}
        later = {i for i in asked if truth[i].alignment in (Alignment.LINKED, Alignment.STALE)}
        if later:
            found = sum(1 for i in later if after[i].alignment in (Alignment.LINKED, Alignment.STALE))
            print(f"  its people tied {len(later)} of these {len(asked)} to a goal; the rules find {found} of them")
        wide = {p.name for p in proposed.proposals if p.wide}
        for kind, some in (("narrow", asked - _by(after, wide)), ("wide", asked & _by(after, wide))):
            hits, linked, wrong = score(truth, after, some & later)
            print(f"  as people tied them, {kind} rules: {hits} of {linked}; otherwise: {dict(wrong)}")
            left = Counter(truth[i].alignment.value for i in some - later if after[i].alignment is Alignment.LINKED)
            print(f"    and of what these rules link, people left as it is or exempted: {dict(left)}")


def _by(verdicts: Mapping[str, Verdict], rules: Container[str]) -> set[str]:
    return {id_ for id_, verdict in verdicts.items() if verdict.rule in rules}


def kafka(folder: Path) -> None:
    target = read("kafka", kafka_world(folder, NOW), NOW, lambda t, s: replay_workspace(t, s, folder))
    with opened(target, NOW) as session:
        judged = judging.judge(session)
        tell("replay", judged, proposing.propose(session, judged))
        truth = judged.view.verdicts
        by_ticket: dict[str, set[str]] = {}
        for id_, stored in judged.held.items():
            if truth[id_].alignment is Alignment.LINKED:
                by_ticket.setdefault(min((r.target for r in stored.item.references), default=id_), set()).add(id_)
        ticket = {id_: name for name, ids in by_ticket.items() for id_ in ids}
        for parts in (2, 5):
            hits: dict[str, dict[tuple[int, str], list[bool]]] = {}  # by kind of rules, shuffle and ticket
            wrong: Counter[str] = Counter()
            for seed in SHUFFLES:
                tickets = sorted(by_ticket)
                random.Random(seed).shuffle(tickets)
                for n in range(parts):
                    known = forget(session, judged, set().union(*(by_ticket[t] for t in tickets[n::parts])))
                    for kind, found in again(session, known).items():
                        for id_, rule in found.items():
                            hit = agrees(session, rule.link[0], truth[id_], above=kind != NARROW)
                            hits.setdefault(kind, {}).setdefault((seed, ticket[id_]), []).append(hit)
                            wrong.update([] if hit or kind == UPKEEP else [f"{kind}: {rule.link[0]} by {rule.detail}"])
            print(f"links of 1 ticket in {parts} taken away, each once in {len(SHUFFLES)} shuffles:")
            for kind, those in hits.items():
                all_ = [hit for some in those.values() for hit in some]
                each = sum(sum(some) / len(some) for some in those.values()) / len(those)
                print(
                    f"  {kind}: of {len(all_)} items {sum(all_)} are linked rightly: precision "
                    f"{sum(all_) / len(all_):.3f}, with all {len(those)} tickets alike {each:.3f}"
                )
            print("  most wrong:")
            for detail, number in wrong.most_common(12):
                print(f"  {number:>4} {detail}")


def again(session: Session, known: Judged) -> dict[str, dict[str, RuleMatch]]:
    """What rules made from the rest say of the items whose links were taken away, by kind of rule."""
    narrow = [p for p in propose(known.view, linking.terms) if not p.team]
    firm = [p for p in narrow if not p.of_area]
    settled = known.view.with_verdicts(proposing.accepted(session, known, firm))
    wide = propose_wide(settled, firm, linking.terms)
    loose = {p.name for p in wide}
    orders = {
        NARROW: [p for p in narrow if p.link],
        WIDE: [*firm, *wide],
        UPKEEP: [p for p in narrow if p.of_area],
    }
    matches = {}
    for kind, proposals in orders.items():
        rules = Mappings(rules=tuple(Rule.model_validate(p.rule()) for p in proposals))
        matcher = mappings.compile(rules, label_prefix=session.workspace.settings.writeback.label_prefix)
        those = {i: matcher.match(s.item, known.at).match for i, s in known.held.items() if i in known.everything}
        matches[kind] = {i: match for i, match in those.items() if match}
    taken = {i: match for i, match in matches[WIDE].items() if match.rule in loose}
    return {
        NARROW: matches[NARROW],
        WIDE: taken,
        UPKEEP: {i: match for i, match in taken.items() if i in matches[UPKEEP]},
    }


def served(session: Session, id_: str) -> set[str]:
    """A goal and all above it."""
    node = session.goals.find(id_)
    found, ahead = set(), [node] if node else []
    while ahead:
        node = ahead.pop()
        found.add(node.id)
        ahead += session.goals.parents(node)
    return found


def agrees(session: Session, link: str, truth: Verdict, *, above: bool) -> bool:
    """Whether a goal is, or stands below, an objective that work is known to serve; or `above` one, which is as much as
    a wide rule may say."""
    known = objectives(truth)
    return bool(served(session, link) & known) or (above and any(link in served(session, id_) for id_ in known))


def objectives(verdict: Verdict) -> set[str]:
    return {o for t in verdict.targets for o in t.objectives}


def forget(session: Session, judged: Judged, ids: set[str]) -> Judged:
    """The same work, with nothing left of what ties these items to goals; `everything` holds those that are unlinked
    now."""

    def bare(stored: StoredItem) -> StoredItem:
        item = stored.item
        title = " ".join(KIP.sub(" ", item.title).split())
        return structs.replace(stored, item=structs.replace(item, title=title, labels=(), references=()))

    held = {i: bare(s) if i in ids else s for i, s in judged.held.items()}
    items = {i: held[i] for i in judged.view.items}
    bared = structs.replace(judged, held=held, view=structs.replace(judged.view, items=items))
    verdicts = judging.resolved(session, bared, session.goals, session.workspace.mappings, judged.at)
    lost = {i: held[i].item for i in ids if verdicts[i].alignment is Alignment.UNLINKED}
    return structs.replace(bared, view=bared.view.with_verdicts(verdicts), everything=lost)


def main(data: Path) -> int:
    folder = data if (data / "pull_requests.jsonl").exists() else data / "kafka"
    if not (folder / "pull_requests.jsonl").exists():
        print(f"{folder} holds no pull_requests.jsonl; say where the recorded data is")
        return 2
    logs.configure({}, verbose=False)
    demo()
    kafka(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")))
