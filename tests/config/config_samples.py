"""A small workspace that is right, to be broken in one place at a time."""

from __future__ import annotations

from pathlib import Path

OKRS = "config/okrs/q4.yaml"
SETTINGS = "config/okrsync.yaml"
JIRA = "connectors/jira.yaml"
GITHUB = "connectors/github.yaml"
RULES = "mappings/rules.yaml"

GOOD: dict[str, str] = {
    SETTINGS: "schedule: every 15m\n",
    OKRS: """\
cycle: {id: 2026-Q4, starts: 2026-10-01, ends: 2026-12-31}
bets:
  - {id: B1, title: Win the mid-market}
objectives:
  - id: O1
    title: Checkout is the reason merchants stay
    supports: [B1]
    key_results:
      - {id: O1.KR1, title: Raise conversion, target: 68}
initiatives:
  - id: INIT-1
    title: One-page checkout
    supports: [O1.KR1]
""",
    JIRA: "type: jira\nurl: https://acme.atlassian.net\nemail: bot@acme.example\nprojects: [PAY, WEB]\n",
    GITHUB: "type: github\nurl: https://api.github.com\nrepos: [acme/web]\n",
    RULES: """\
rules:
  - name: checkout
    when: {project: PAY}
    link: INIT-1
""",
}


def write(root: Path, changes: dict[str, str | bytes | None] | None = None) -> Path:
    """The good workspace with files replaced, added, or (None) left out."""
    for name, content in {**GOOD, **(changes or {})}.items():
        if content is not None:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


# --- what is broken, and what is told of it

JIRA_2 = "connectors/other.yaml"
OKRS_2 = "config/okrs/q5.yaml"
Q3 = "cycle: {id: 2026-Q3, starts: 2026-07-01, ends: 2026-09-30}\n"
SERVER = "type: jira\nurl: https://acme.atlassian.net\n"


def okrs(text: str) -> dict[str, str]:
    """A second goals file of the same cycle."""
    return {OKRS_2: "cycle: {id: 2026-Q4, starts: 2026-10-01, ends: 2026-12-31}\n" + text}


def rule(text: str) -> dict[str, str]:
    """A second mapping file; `text` begins in line 3."""
    return {"mappings/second.yaml": "rules:\n  - name: second\n" + text}


def at(file: str, line: int, *phrases: str) -> tuple[str, tuple[str, ...]]:
    return f"{file}:{line}", phrases
