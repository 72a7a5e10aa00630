"""`python bench/suggestions.py folder`: how often the right improvement proposal is suggested for a Kafka pull request.

folder is the one that holds `kafka/pull_requests.jsonl`. Every title that names a KIP is asked about with all mentions
of KIPs removed, against the other such titles: all others, and those that are older. Prints how often the right one is
first and among the first three, beside "the most frequent ones" and plain TF-IDF (cosine to the sum of each KIP's
titles).
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from okrsync.domain.goals import Goals, Initiative, Node
from okrsync.domain.links import Alignment, Target, Verdict
from okrsync.domain.work import Kind, StoredItem, WorkItem
from okrsync.linking import Suggester

KIP = re.compile(r"\(?\bKIP[- ]?\d+\b[):]?", re.IGNORECASE)
Ranked = Callable[["Title", "Sequence[Title]"], list[str]]


class Title:
    def __init__(self, row: dict[str, Any]) -> None:
        self.kips = {k.upper() for k in re.findall(r"KIP-\d+", row["title"])}
        self.words = " ".join(KIP.sub(" ", row["title"]).split())
        self.at = datetime.fromisoformat(row["merged_at"]).astimezone(UTC)
        self.item = WorkItem(
            id=f"github:apache/kafka#{row['number']}",
            uid=str(row["number"]),
            connector="github",
            key=f"apache/kafka#{row['number']}",
            container="apache/kafka",
            kind=Kind.PULL_REQUEST,
            title=self.words,
            url="",
            created=self.at,
            updated=self.at,
            author=row["author"],
        )


def ours(title: Title, others: Sequence[Title]) -> list[str]:
    kips = sorted({k for other in others for k in other.kips})
    initiatives = [Initiative(id=k, title=k) for k in kips]  # the record has no names of proposals
    nodes = [
        Node(kind="initiative", id=i.id, title="-", cycle=None, parents=(), owner=None, value=i) for i in initiatives
    ]
    verdicts = {
        o.item.id: Verdict(
            id=o.item.id,
            alignment=Alignment.LINKED,
            targets=tuple(Target(node=k, initiative=k) for k in sorted(o.kips)),
        )
        for o in others
    }
    held = [StoredItem(item=o.item, read_at=o.at, moved_at=o.at) for o in others]
    goals = Goals(nodes, (), today=title.at.date(), grace=timedelta(0))
    return [s.initiative for s in Suggester(goals, held, verdicts).of(title.item)]


def most_frequent(_title: Title, others: Sequence[Title]) -> list[str]:
    counts = Counter(k for other in others for k in other.kips)
    return sorted(counts, key=lambda k: (-counts[k], k))[:3]


def tf_idf(title: Title, others: Sequence[Title]) -> list[str]:
    texts = [Counter(re.findall(r"\w+", o.words.casefold())) for o in others]
    seen = Counter(word for text in texts for word in text)
    rare = {word: math.log(len(texts) / n) + 1 for word, n in seen.items()}
    sums: dict[str, Counter[str]] = {}
    for other, text in zip(others, texts, strict=True):
        for kip in other.kips:
            sums.setdefault(kip, Counter()).update(text)
    asked = Counter(re.findall(r"\w+", title.words.casefold()))
    scores = {}
    for kip, text in sums.items():
        length = math.sqrt(sum((n * rare[w]) ** 2 for w, n in text.items()))
        scores[kip] = sum(asked[w] * text[w] * rare[w] ** 2 for w in asked if w in text) / length
    return sorted((k for k in scores if scores[k]), key=lambda k: (-scores[k], k))[:3]


def score(rank: Ranked, asked: Iterable[tuple[Title, Sequence[Title]]]) -> tuple[float, float, int]:
    first = three = number = 0
    for title, others in asked:
        ranked = rank(title, others)
        number += 1
        first += bool(title.kips & set(ranked[:1]))
        three += bool(title.kips & set(ranked[:3]))
    return first / number, three / number, number


def read(folder: Path, *, older: bool = False) -> list[tuple[Title, Sequence[Title]]]:
    """Each title with what it is asked about against: all others, or the older ones."""
    rows = map(json.loads, (folder / "pull_requests.jsonl").read_text(encoding="utf-8").splitlines())
    titles = sorted((t for t in map(Title, rows) if t.kips), key=lambda t: (t.at, t.item.id))
    if older:
        return [(t, titles[:n]) for n, t in enumerate(titles) if n]
    return [(t, [o for o in titles if o is not t]) for t in titles]


def main(data: Path) -> int:
    folder = data if (data / "pull_requests.jsonl").exists() else data / "kafka"
    if not (folder / "pull_requests.jsonl").exists():
        print(f"{folder} holds no pull_requests.jsonl; say where the recorded data is")
        return 2
    all_others = read(folder)
    print(f"{len(all_others)} titles name {len({k for t, _ in all_others for k in t.kips})} KIPs")
    for name, asked in (("against all others", all_others), ("against older ones", read(folder, older=True))):
        known = [(t, others) for t, others in asked if any(t.kips & o.kips for o in others)]
        for which, some in ((f"{name}", asked), (f"{name}, where the KIP has other work", known)):
            print(f"{which}:")
            for said, rank in (("okrsync", ours), ("plain TF-IDF", tf_idf), ("most frequent", most_frequent)):
                one, three, number = score(rank, some)
                print(f"  {said:<14} first {one:6.1%}   among three {three:6.1%}   of {number}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")))
