"""`python bench/proposals.py folder`: what `bootstrap` proposes for the demo company and for the Kafka replay.

folder is the one that holds `kafka/pull_requests.jsonl`. Prints each rule with its reason, what all of them do to the
unlinked open work when accepted as they are, and how right they are about work whose links are known:

- The demo on its first day, when nobody had tied anything yet, against what its people tied later.
- The replay with the links of half of the tickets taken away, and of a fifth, until each was: which of these the rules
  made from the rest link by their own titles, and whether to the same objective.
"""

from __future__ import annotations

import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Mapping
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
from okrsync.proposing import Proposed
from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock, World, company, copy_workspace, untied
from okrsync.sandbox.replay import kafka_world, replay_workspace

NOW = datetime(2024, 10, 25, 9, 0, tzinfo=UTC)  # the recorded data ends here
ROOT = Path(".replay")
SHUFFLES = (1, 2, 3, 4)
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


def tell(name: str, proposed: Proposed, *, rules: bool = True) -> None:
    before, after = proposed.before, proposed.after
    linked, exempt, stale = (getattr(after, f) - getattr(before, f) for f in ("linked", "exempt", "stale"))
    deciding = [p for p in proposed.proposals if not p.team]
    print(
        f"{name}: {len(deciding)} rules; of {before.unlinked} unlinked items they link {linked} "
        f"({linked / before.unlinked:.0%}), exempt {exempt}, show {stale} as stale and leave {after.unlinked}; "
        f"alignment {_rate(before)} → {_rate(after)}"
    )
    for p in deciding if rules else ():
        print(f"  {p.name} → {p.link or p.exempt}: {p.items} ({', '.join(p.examples)})")
        for why in p.why:
            print(f"      {why}")


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
            tell(f"demo, {name}", proposed)
            after = proposing.accepted(session, judged, proposed.proposals)
            was = judged.view.verdicts
            asked = {i for i, s in judged.view.items.items() if s.item.open and was[i].alignment is Alignment.UNLINKED}
        later = {i for i in asked if truth[i].alignment in (Alignment.LINKED, Alignment.STALE)}
        hits, linked, wrong = score(truth, after, asked)
        if later:
            found = sum(1 for i in later if after[i].alignment in (Alignment.LINKED, Alignment.STALE))
            print(f"  its people tied {len(later)} of these {len(asked)} to a goal; the rules find {found} of them")
        print(f"  as people tied them: {hits} of {linked}; otherwise: {dict(wrong)}")


def kafka(folder: Path) -> None:
    target = read("kafka", kafka_world(folder, NOW), NOW, lambda t, s: replay_workspace(t, s, folder))
    with opened(target, NOW) as session:
        judged = judging.judge(session)
        tell("replay", proposing.propose(session, judged))
        truth = judged.view.verdicts
        by_ticket: dict[str, set[str]] = {}
        for id_, stored in judged.held.items():
            if truth[id_].alignment is Alignment.LINKED:
                by_ticket.setdefault(min((r.target for r in stored.item.references), default=id_), set()).add(id_)
        for parts in (2, 5):
            hits = linked = asked = 0
            wrong: Counter[str] = Counter()
            for seed in SHUFFLES:
                tickets = sorted(by_ticket)
                random.Random(seed).shuffle(tickets)
                for n in range(parts):
                    known = forget(session, judged, set().union(*(by_ticket[t] for t in tickets[n::parts])))
                    found = again(session, known)
                    asked += len(found)
                    linked += sum(1 for rule in found.values() if rule)
                    for id_, rule in found.items():
                        right_ = rule and served(session, rule.link[0]) & objectives(truth[id_])
                        hits += bool(right_)
                        wrong.update([rule.detail] if rule and not right_ else [])
            print(
                f"links of 1 ticket in {parts} taken away, each once in {len(SHUFFLES)} shuffles: of {asked} items the "
                f"rules link {linked}, {hits} of them to the same objective: precision {hits / linked:.3f}; most wrong:"
            )
            for detail, number in wrong.most_common(8):
                print(f"  {number:>4} {detail}")


def again(session: Session, known: Judged) -> dict[str, RuleMatch | None]:
    """What rules made from the rest say of the items whose links were taken away."""
    proposals = mappings.propose(known.view, linking.terms)
    rules = Mappings(rules=tuple(Rule.model_validate(p.rule()) for p in proposals if p.link))
    matcher = mappings.compile(rules, label_prefix=session.workspace.settings.writeback.label_prefix)
    lost = {i: s.item for i, s in known.held.items() if i in known.everything}
    return {id_: matcher.match(item, known.at).match for id_, item in lost.items()}


def served(session: Session, id_: str) -> set[str]:
    """A goal and all above it."""
    node = session.goals.find(id_)
    found, ahead = set(), [node] if node else []
    while ahead:
        node = ahead.pop()
        found.add(node.id)
        ahead += session.goals.parents(node)
    return found


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
