"""`python bench/hostile.py`: what reading the ties out of 1 MB of text costs, ordinary text beside text made to hurt.

Prints CPU seconds (the better of two) and the ratio to ordinary text; ends with 1 where one is over 5.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from okrsync.domain.work import Kind, WorkItem
from okrsync.linking import read_text

SIZE = 1_000_000
MOST = 5.0
PROJECTS = {"PAY": "jira", "WEB": "jira", "KAFKA": "jira"}
MOMENT = datetime(2026, 11, 16, 9, tzinfo=UTC)
ORDINARY = """## What changes

The order summary jumps while the page loads, and the button moves under the finger. This keeps the height of
the summary, so that nothing moves; `Summary.measure()` is asked once, not on every frame (see the trace in #1204).

- [ ] tests on small screens, as PAY-1204 asks for
- [x] the figures of last week: 61% to 63.5%
> the button moves, wrote a merchant, and "I pay twice"

Fixes #1203, and https://acme.atlassian.net/browse/PAY-1187 has the screenshots.

```python
def measure(self) -> int:
    return max(line.height for line in self.lines)
```

"""
PIECES = (
    "-", "#", "`", "``", "*", "_", "[", "(", "<", ">", "|", ":", "/", ".", "1", "A", "a", " ", "\t", "\n", "\r",
    "> ", "> > ", "\n> ", "- ", "A-", "A-1", "a_", "PAY-", "PAY-1", "PAY-1/", "PAY-1/2", "PAY-1, ", "[PAY-1", "[PAY-1]",
    "#1", "#1 ", "a/b#1 ", "@a", "``` ", "`\n", "``` \n", "~~~\n", "<!--", "-->", "<!-- -->", "fixes ", "fixes: ",
    "fixes PAY-1, ", "fixes #1, ", "fixes\t", "fixes ([", "fixes http://a/", "fixes https://a/browse/PAY-1 ", "http://",
    "https://a/browse/", "Jira: ", "Jira: PAY-1\n", "Jira: , ", "**Jira** ", "OKR: ", "OKR: a,", "OKR: a\n",
    "Revert \"", "MINOR - ", "( ) ", "and ", "/okr link ", "/okr link A\n", "\u200b", "\u00e9", "\U0001f600",
    "KAKFA-1 ", "PAY 1 ", "PAY1;", "\n\n    ", "\x0b", "\u2028",
)  # fmt: skip


def item(text: str) -> WorkItem:
    return WorkItem(
        id="github:acme/web#1",
        uid="github:1",
        connector="github",
        key="acme/web#1",
        container="acme/web",
        kind=Kind.PULL_REQUEST,
        title=text,
        body=text,
        branch=text,
        url="https://github.com/acme/web/pull/1",
        created=MOMENT,
        updated=MOMENT,
    )


def texts() -> Iterator[tuple[str, str]]:
    """Each piece over and over: as one line, in the shortest lines, in usual ones, and near the longest read."""
    for piece in PIECES:
        text = piece * (SIZE // len(piece))
        yield repr(piece), text
        for width in (1, 100, 3900):
            lines = (text[i : i + width] for i in range(0, len(text), width + 1))
            yield f"{piece!r} in lines of {width}", "\n".join(lines)
    nested = [("`" * n + " ") for n in range(1, 1400)]
    yield "runs of backticks, each longer", "".join(nested)[:SIZE]
    yield "quotes, each deeper", "\n".join("> " * n for n in range(1, 1000))[:SIZE]
    yield "brackets, each deeper", "[" * (SIZE // 2) + "]" * (SIZE // 2)
    yield "fences, each longer", "\n".join("`" * n for n in range(3, 1400))[:SIZE]


def seconds(text: str) -> float:
    work = item(text)
    best = float("inf")
    for _ in range(2):
        began = time.process_time()
        read_text(work, PROJECTS)
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    floor = seconds((ORDINARY * (SIZE // len(ORDINARY) + 1))[:SIZE])
    print(f"1 MB of ordinary text: {floor * 1000:.0f} ms")
    measured = sorted(((seconds(text) / floor, name) for name, text in texts()), reverse=True)
    for ratio, name in measured[:15]:
        print(f"{ratio:6.2f}  {name}")
    over = [name for ratio, name in measured if ratio > MOST]
    print(f"{len(measured)} texts made to hurt, {len(over)} of them over {MOST:.0f} times")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
