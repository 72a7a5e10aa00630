"""Broken workspaces: the exact place, and words that help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from config_samples import GITHUB, GOOD, JIRA, OKRS, RULES, SETTINGS, write

from okrsync.cli import run
from okrsync.config import load
from okrsync.domain.workspace import WorkspaceError

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


BROKEN = {
    # --- settings
    "unknown key": ({SETTINGS: "\nschedul: every 5m\n"}, [at(SETTINGS, 2, "unknown key `schedul`", "'schedule'")]),
    "unknown nested key": (
        {SETTINGS: "writeback:\n  enabled: false\n  comments:\n    perday: 3\n"},
        [at(SETTINGS, 4, "unknown key `perday`", "'per_day'")],
    ),
    "wrong kinds of value": (
        {
            SETTINGS: "writeback:\n  enabled: maybe\n  limits:\n    changes: many\n    share: 3\nreports:\n  dir: 2026\n  formats: html\n"
        },
        [
            at(SETTINGS, 2, "`enabled` must be true or false, not 'maybe'"),
            at(SETTINGS, 4, "`changes` must be a whole number"),
            at(SETTINGS, 5, "`share`", "at most 1"),
            at(SETTINGS, 7, "`dir` must be text", "quotes"),
            at(SETTINGS, 8, "`formats` must be a list"),
        ],
    ),
    "a group that is no group": ({SETTINGS: "rules: 5\n"}, [at(SETTINGS, 1, "`rules` must be a mapping")]),
    "a value left out": ({SETTINGS: "store:\n"}, [at(SETTINGS, 1, "`store` has no value", "text")]),
    "an item in a list": (
        {SETTINGS: "reports:\n  formats:\n    - html\n    - pdf\n"},
        [at(SETTINGS, 4, "'pdf'", "html, md, csv, json")],
    ),
    "duration without unit": ({SETTINGS: "cycles: {grace: 14}\n"}, [at(SETTINGS, 1, "`grace`", "14d")]),
    "duration beyond the calendar": (
        {SETTINGS: "cycles: {grace: 99999999d}\n"},
        [at(SETTINGS, 1, "too long", "36500d")],
    ),
    "no time to run": ({SETTINGS: "run_timeout: 0s\n"}, [at(SETTINGS, 1, "`run_timeout`", "30m")]),
    "short cron": ({SETTINGS: 'schedule: "* * * *"\n'}, [at(SETTINGS, 1, "4 fields", "every 30s")]),
    "cron out of range": ({SETTINGS: 'schedule: "61 * * * *"\n'}, [at(SETTINGS, 1, "'61' is no minute")]),
    "a day that never comes": ({SETTINGS: 'schedule: "0 0 31 2 *"\n'}, [at(SETTINGS, 1, "'31'", "do not have")]),
    "cron backwards": ({SETTINGS: 'schedule: "0 0 * * fri-mon"\n'}, [at(SETTINGS, 1, "day of the week")]),
    "address": ({SETTINGS: "listen: everywhere\n"}, [at(SETTINGS, 1, "`listen`", "127.0.0.1:9464")]),
    "port": ({SETTINGS: "listen: localhost:99999\n"}, [at(SETTINGS, 1, "`listen`")]),
    "store of another kind": (
        {SETTINGS: "store: mysql://h/d\n"},
        [at(SETTINGS, 1, "'mysql'", "postgresql+psycopg://")],
    ),
    "store that is no URL": ({SETTINGS: "store: okrsync.db\n"}, [at(SETTINGS, 1, "no database URL", "sqlite:///")]),
    "store in memory": ({SETTINGS: "store: 'sqlite://'\n"}, [at(SETTINGS, 1, "names no file")]),
    "password in the store": (
        {SETTINGS: "\nstore: postgresql+psycopg://u:hunter2@h/d\n"},
        [at(SETTINGS, 2, "password", "OKRSYNC_STORE")],
    ),
    "label prefix": (
        {SETTINGS: "writeback: {label_prefix: 'o k'}\n"},
        [at(SETTINGS, 1, "`label_prefix` may hold neither")],
    ),
    "label field": ({SETTINGS: "writeback: {labels: {linked: '{x}'}}\n"}, [at(SETTINGS, 1, "{x}", "{objective}")]),
    "unknown finding rules": (
        {
            SETTINGS: "rules:\n  ignore:\n    - OKR101\n    - unlinked-wrk\n  severity:\n    OKR999: error\n"
            "writeback:\n  comments: {rules: [nonsense]}\n"
        },
        [
            at(SETTINGS, 4, "'unlinked-wrk'", "'unlinked-work'"),
            at(SETTINGS, 6, "'OKR999'", "okrsync rule"),
            at(SETTINGS, 8, "'nonsense'"),
        ],
    ),
    "dashboard without connector": (
        {SETTINGS: "writeback: {dashboard: strategy}\n"},
        [at(SETTINGS, 1, "github:acme/strategy")],
    ),
    "dashboard of a stranger": (
        {SETTINGS: "writeback: {dashboard: 'githb:a/b'}\n"},
        [at(SETTINGS, 1, "no connector 'githb'", "'github'")],
    ),
    "dashboard in no repository": (
        {SETTINGS: "writeback: {dashboard: 'github:OPS'}\n"},
        [at(SETTINGS, 1, "no repository")],
    ),
    "dashboard in no project": (
        {SETTINGS: "writeback: {dashboard: 'jira:a/b'}\n"},
        [at(SETTINGS, 1, "no project key")],
    ),
    "yml instead of yaml": (
        {"config/okrsync.yml": "a: 1\n"},
        [at("config/okrsync.yml", 1, "name it config/okrsync.yaml")],
    ),
    # --- YAML itself
    "tab": ({SETTINGS: "rules:\n\tignore: []\n"}, [at(SETTINGS, 2, "a tab")]),
    "open bracket": ({RULES: "classes: []\nrules: [a,\n  b\n"}, [at(RULES, 2, "no valid YAML", "brackets")]),
    "open quote": ({SETTINGS: "listen: null\nstore: 'sqlite\n\n"}, [at(SETTINGS, 2, "no valid YAML", "quotes")]),
    "percent": (
        okrs("objectives:\n  - {id: O2, title: x, key_results: [{id: K, title: t, unit: %}]}\n"),
        [at(OKRS_2, 3, "quotes")],
    ),
    "second colon": ({SETTINGS: "store: a: b\n"}, [at(SETTINGS, 1, "second colon")]),
    "key twice": (
        {SETTINGS: "listen: null\nstore: sqlite:///a.db\nlisten: null\n"},
        [at(SETTINGS, 3, "`listen`", "line 1")],
    ),
    "two documents": ({SETTINGS: "listen: null\n---\nlisten: null\n"}, [at(SETTINGS, 2, "second document")]),
    "a list": ({RULES: "- a\n"}, [at(RULES, 1, "must be a mapping")]),
    "a tag": ({SETTINGS: "store: !!python/object:os.system x\n"}, [at(SETTINGS, 1, "!!python", "plain value")]),
    "unknown alias": ({SETTINGS: "\nstore: *here\n"}, [at(SETTINGS, 2, "*here", "&here")]),
    "alias of itself": ({SETTINGS: "rules: &r [*r]\n"}, [at(SETTINGS, 1, "holds itself")]),
    "too deep": ({SETTINGS: "rules: " + "[" * 500}, [at(SETTINGS, 1, "too deep")]),
    "no date": (
        okrs("initiatives:\n  - {id: I, title: t, status: done,\n     ended: 2026-13-01}\n"),
        [at(OKRS_2, 4, "2026-13-01", "calendar")],
    ),
    "no number": (okrs("bets:\n  - {id: B2, title: t, weight: .nan}\n"), [at(OKRS_2, 3, ".nan", "number")]),
    "a number of 5000 digits": ({SETTINGS: "listen: " + "9" * 5000}, [at(SETTINGS, 1, "no usable number")]),
    "NUL in a text": ({SETTINGS: 'listen: "a\\0b:1"\n'}, [at(SETTINGS, 1, "cannot be stored")]),
    "UTF-16": ({SETTINGS: "listen: null\n".encode("utf-16")}, [at(SETTINGS, 1, "UTF-8")]),
    "binary": ({SETTINGS: b"listen: null\n\x00\x01"}, [at(SETTINGS, 2, "binary")]),
    "control character": ({SETTINGS: b"listen: null\nstore: a\x07b\n"}, [at(SETTINGS, 2, "control character")]),
    "too large": ({SETTINGS: "#" * 1_000_001}, [at(SETTINGS, 1, "larger than 1 MB")]),
    # --- goals
    "objective without title": (okrs("objectives:\n  - id: O2\n"), [at(OKRS_2, 3, "objective 'O2' has no `title`")]),
    "empty title": (okrs("objectives:\n  - id: O2\n    title: ' '\n"), [at(OKRS_2, 4, "`title` is empty")]),
    "bad id": (okrs("bets:\n  - title: t\n    id: B/2\n"), [at(OKRS_2, 4, "'B/2' cannot be an id")]),
    "level": (
        okrs("objectives:\n  - {id: O2, title: t,\n     level: compny}\n"),
        [at(OKRS_2, 4, "`level` cannot be 'compny'", "'company'")],
    ),
    "owner": (
        okrs("bets:\n  - id: B2\n    title: t\n    owner: 5\n"),
        [at(OKRS_2, 5, "`owner` must be text or a list")],
    ),
    "owner list": (
        okrs("bets:\n  - id: B2\n    title: t\n    owner:\n      - Ada\n      - {a: b}\n"),
        [at(OKRS_2, 7, "text")],
    ),
    "a goal that is none": (okrs("bets:\n  - B2\n"), [at(OKRS_2, 3, "bet 1 must be a mapping")]),
    "unknown key of a key result": (
        okrs(
            "objectives:\n  - id: O2\n    title: t\n    key_results:\n      - id: K2\n        title: t\n        targett: 3\n"
        ),
        [at(OKRS_2, 8, "unknown key `targett`", "'target'")],
    ),
    "same id in another case": (
        okrs("bets:\n  - {id: b1, title: t}\n"),
        [at(OKRS_2, 3, "'b1' is taken by a bet", f"{OKRS}:3")],
    ),
    "same id without a cycle": (
        {OKRS_2: "objectives:\n  - id: O1.kr1\n    title: t\n"},
        [at(OKRS_2, 2, "taken by a key result")],
    ),
    "cycle backwards": (
        {OKRS_2: "cycle:\n  id: X\n  starts: 2026-02-01\n  ends: 2026-01-01\n"},
        [at(OKRS_2, 4, "before it starts")],
    ),
    "cycle without end": (
        {OKRS_2: "cycle:\n  id: X\n  starts: 2026-02-01\n"},
        [at(OKRS_2, 1, "`cycle` has no `ends`")],
    ),
    "cycle that disagrees": (
        {OKRS_2: "cycle:\n  id: 2026-Q4\n  starts: 2026-10-01\n  ends: 2026-12-30\n"},
        [at(OKRS_2, 4, "`ends: 2026-12-30`", f"{OKRS}:1")],
    ),
    "cycle in another case": (
        {OKRS_2: "cycle: {id: 2026-q4, starts: 2026-10-01, ends: 2026-12-31}\n"},
        [at(OKRS_2, 1, "2026-q4", "2026-Q4")],
    ),
    "supports nobody": (
        okrs("initiatives:\n  - id: I2\n    title: t\n    supports:\n      - O1\n      - O1.KR\n"),
        [at(OKRS_2, 7, "'O1.KR', which does not exist", "'O1.KR1'")],
    ),
    "initiative supports a bet": (
        okrs("initiatives:\n  - id: I2\n    title: t\n    supports: [B1]\n"),
        [at(OKRS_2, 5, "'B1', a bet", "a key result or an objective")],
    ),
    "objective supports a key result": (
        okrs("objectives:\n  - id: O2\n    title: t\n    supports: [O1.KR1]\n"),
        [at(OKRS_2, 5, "a key result", "a bet or an objective")],
    ),
    "circle": (
        okrs("objectives:\n  - {id: O2, title: t, supports: [O3]}\n  - {id: O3, title: t, supports: [O2]}\n"),
        [at(OKRS_2, 3, "'O2' and 'O3'", "circle")],
    ),
    "supports itself": (okrs("objectives:\n  - {id: O2, title: t,\n     supports: [O2]}\n"), [at(OKRS_2, 4, "circle")]),
    "old id, new goal": (
        {OKRS_2: Q3 + "bets:\n  - {id: B1, title: Win the enterprise}\n"},
        [at(OKRS, 3, "another title in cycle 2026-Q3", "continues: true")],
    ),
    "old id, new kind": (
        {OKRS_2: Q3 + "objectives:\n  - {id: B1, title: Win the mid-market}\n"},
        [at(OKRS, 3, "was an objective", "use a new id")],
    ),
    "ended and active": (
        okrs("initiatives:\n  - id: I2\n    title: t\n    ended: 2026-11-01\n"),
        [at(OKRS_2, 5, "is active", "status: done")],
    ),
    "pinned work": (
        okrs(
            "initiatives:\n  - id: I2\n    title: t\n    work:\n      - jra:PAY-1\n      - PAY-2\n      - github:PAY-3\n      - jira:PAY-4\n"
        ),
        [
            at(OKRS_2, 6, "no connector 'jra'", "'jira'"),
            at(OKRS_2, 7, "connector:key"),
            at(OKRS_2, 8, "no key of a github item", "github:acme/web#34"),
        ],
    ),
    # --- connectors
    "unknown type": ({JIRA: "type: jra\nurl: https://x.example\n"}, [at(JIRA, 1, "jira or github", "'jira'")]),
    "no type": ({JIRA: "url: https://x.example\n"}, [at(JIRA, 1, "no `type`")]),
    "no url": ({JIRA: "type: jira\n"}, [at(JIRA, 1, "no `url`")]),
    "no repositories": (
        {GITHUB: "type: github\nurl: https://api.github.com\n"},
        [at(GITHUB, 1, "names no repositories")],
    ),
    "token in the file": ({JIRA: GOOD[JIRA] + "token: hunter2\n"}, [at(JIRA, 5, "`token`", "OKRSYNC_JIRA_TOKEN_FILE")]),
    "secrets anywhere": (
        {
            GITHUB: "type: github\nurl: https://api.github.com\nrepos: [acme/web]\napp:\n  id: 1\n  installation: 2\n"
            "  private_key: hunter2\napiKey: hunter2\nclient_secret: hunter2\nPassword: hunter2\n"
        },
        [
            at(GITHUB, 7, "`private_key`", "OKRSYNC_GITHUB_PRIVATE_KEY"),
            at(GITHUB, 8, "`apiKey`", "OKRSYNC_GITHUB_TOKEN"),
            at(GITHUB, 9, "`client_secret`"),
            at(GITHUB, 10, "`Password`"),
        ],
    ),
    "a value that is a token": (
        {GITHUB: "type: github\nurl: https://api.github.com\nrepos:\n  - ghp_hunter2hunter2hunter2hunter2\n"},
        [at(GITHUB, 4, "looks like a secret", "OKRSYNC_GITHUB_TOKEN")],
    ),
    "plain http": ({JIRA: "type: jira\nurl: http://acme.example\n"}, [at(JIRA, 2, "https://")]),
    "credentials in the url": (
        {JIRA: "type: jira\nurl: https://u:hunter2@acme.example\n"},
        [at(JIRA, 2, "user or password")],
    ),
    "no url at all": ({JIRA: "type: jira\nurl: acme\n"}, [at(JIRA, 2, "no address", "https://acme.atlassian.net")]),
    "port of a url": ({JIRA: "type: jira\nurl: https://a.example:99999\n"}, [at(JIRA, 2, "no address")]),
    "query in a url": ({JIRA: "type: jira\nurl: https://a.example/?a=b\n"}, [at(JIRA, 2, "`?` or `#`")]),
    "web site for an API": (
        {GITHUB: "type: github\nurl: https://github.com\nrepos: [a/b]\n"},
        [at(GITHUB, 2, "https://api.github.com")],
    ),
    "ORDER BY": ({JIRA: GOOD[JIRA] + "jql: labels = x order  by rank\n"}, [at(JIRA, 5, "ORDER BY")]),
    "project keys": (
        {JIRA: "type: jira\nurl: https://a.example\nprojects:\n  - PAY\n  - web\n  - 'P-1'\n"},
        [at(JIRA, 5, "'web'", "'WEB'"), at(JIRA, 6, "'P-1' is no project key")],
    ),
    "repositories": (
        {GITHUB: "type: github\nurl: https://api.github.com\nrepos:\n  - web\n  - acme/[ab]\n  - a/b/c\n"},
        [at(GITHUB, 4, "owner/name"), at(GITHUB, 5, "only * and ?"), at(GITHUB, 6, "owner/name")],
    ),
    "write": ({JIRA: GOOD[JIRA] + "write: 3\n"}, [at(JIRA, 5, "true or false or a list")]),
    "write globs": ({JIRA: GOOD[JIRA] + "write: [a/b]\n"}, [at(JIRA, 5, "project key")]),
    "repos and org": ({GITHUB: GOOD[GITHUB] + "org: acme\n"}, [at(GITHUB, 1, "both `repos` and `org`")]),
    "include without org": ({GITHUB: GOOD[GITHUB] + "include: [a]\n"}, [at(GITHUB, 4, "`include` narrows an `org`")]),
    "e-mail": ({JIRA: "type: jira\nurl: https://a.example\nemail: bot\n"}, [at(JIRA, 3, "no e-mail address")]),
    "name as a key": ({JIRA: GOOD[JIRA] + "name: x\n"}, [at(JIRA, 5, "unknown key `name`", "file's name")]),
    "writes per minute": ({GITHUB: GOOD[GITHUB] + "writes_per_minute: 0\n"}, [at(GITHUB, 4, "at least 1")]),
    "file name": (
        {"connectors/My Jira.yaml": SERVER + "projects: [A]\n"},
        [at("connectors/My Jira.yaml", 1, "lower-case")],
    ),
    "two files of one name": (
        {"connectors/jira.yml": SERVER + "projects: [A]\n"},
        [at("connectors/jira.yml", 1, "another file")],
    ),
    "variables collide": (
        {"connectors/a-b.yaml": SERVER + "projects: [A]\n", "connectors/a_b.yaml": SERVER + "projects: [B]\n"},
        [at("connectors/a_b.yaml", 1, "OKRSYNC_A_B_TOKEN", "a-b.yaml")],
    ),
    "same project": ({JIRA_2: SERVER + "projects:\n  - WEB\n"}, [at(JIRA_2, 3, "project WEB", "connectors/jira.yaml")]),
    "all projects": (
        {JIRA_2: SERVER.replace("acme.", "ACME.").replace(".net", ".net:443")},
        [at(JIRA_2, 1, "every project")],
    ),
    "same repository": (
        {"connectors/hub.yaml": "type: github\nurl: https://api.github.com/\nrepos: ['ACME/w*']\n"},
        [at("connectors/hub.yaml", 3, "repository acme/web")],
    ),
    "repository of an org": (
        {"connectors/hub.yaml": "type: github\nurl: https://api.github.com\norg: acme\nexclude: [x*]\n"},
        [at("connectors/hub.yaml", 3, "repository acme/web")],
    ),
    # --- mappings
    "rule without effect": (
        rule("    when: {project: PAY}\n"),
        [at("mappings/second.yaml", 2, "rule 'second' does nothing")],
    ),
    "rule with both": (
        rule("    when: {project: PAY}\n    link: O1\n    exempt: parity\n"),
        [at("mappings/second.yaml", 2, "both `link` and `exempt`")],
    ),
    "empty when": (rule("    when: {}\n    team: T\n"), [at("mappings/second.yaml", 3, "`when` is empty")]),
    "unknown when": (
        rule("    team: T\n    when:\n      lables: [a]\n"),
        [at("mappings/second.yaml", 5, "unknown key `lables`", "'labels'")],
    ),
    "nothing to match": (
        rule("    team: T\n    when: {labels: {any: []}}\n"),
        [at("mappings/second.yaml", 4, "names nothing")],
    ),
    "no age": (rule("    team: T\n    when: {updated: {}}\n"), [at("mappings/second.yaml", 4, "older: 180d")]),
    "unknown link": (
        rule("    when: {project: PAY}\n    link:\n      - O1\n      - INT-1\n"),
        [at("mappings/second.yaml", 6, "no goal 'INT-1'", "'INIT-1'")],
    ),
    "link to a bet": (rule("    when: {project: PAY}\n    link: b1\n"), [at("mappings/second.yaml", 4, "is a bet")]),
    "undeclared class": (
        rule("    when: {project: PAY}\n    exempt: tech-dept\n"),
        [at("mappings/second.yaml", 4, "no class 'tech-dept'", "'tech-debt'")],
    ),
    "undeclared budget": (
        {"mappings/b.yaml": "budgets:\n  tech-dept: 0.2\n  parity: 20\n"},
        [at("mappings/b.yaml", 2, "'tech-debt'"), at("mappings/b.yaml", 3, "at most 1")],
    ),
    "two budgets": (
        {"mappings/a.yaml": "budgets: {parity: 0.2}\n", "mappings/b.yaml": "budgets: {parity: 0.3}\n"},
        [at("mappings/b.yaml", 1, "mappings/a.yaml:1", "keep one")],
    ),
    "bad class": ({"mappings/a.yaml": "classes: [a b]\n"}, [at("mappings/a.yaml", 1, "cannot be a class")]),
    "same name": (
        {"mappings/z.yaml": "rules:\n  - when: {project: A}\n    team: T\n    name: checkout\n"},
        [at("mappings/z.yaml", 4, "another rule 'checkout'", f"{RULES}:2")],
    ),
    "expression": (
        rule(
            "    team: T\n    when:\n      title:\n        any:\n          - ok\n          - '(?=no)'\n      body: '('\n"
        ),
        [at("mappings/second.yaml", 8, "RE2"), at("mappings/second.yaml", 9, "RE2", "missing )")],
    ),
    "values that never are": (
        rule(
            "    team: T\n    when:\n      kind: epik\n      state: done\n      connector: jria\n      author_type: [user, robot]\n"
        ),
        [
            at("mappings/second.yaml", 5, "'epik'", "'epic'"),
            at("mappings/second.yaml", 6, "open, closed, merged"),
            at("mappings/second.yaml", 7, "'jria'", "'jira'"),
            at("mappings/second.yaml", 8, "'robot'"),
        ],
    ),
    "examples": (
        rule(
            "    team: T\n    when: {project: PAY}\n    examples:\n      matches:\n        - {projct: PAY}\n        - jra:PAY-1\n"
        ),
        [at("mappings/second.yaml", 7, "`projct`", "'project'"), at("mappings/second.yaml", 8, "no connector 'jra'")],
    ),
    "until": (
        rule("    team: T\n    when: {project: PAY}\n    until: soon\n"),
        [at("mappings/second.yaml", 5, "2026-12-31")],
    ),
    # --- several files at once
    "everything at once": (
        {
            SETTINGS: "schedule: never\n",
            OKRS_2: "bets:\n  - {id: B9}\n",
            JIRA: "type: jira\nurl: http://a.example\nprojects: [pay]\n",
            GITHUB: "type: github\nurl: [\n",
            RULES: "rules:\n  - name: r\n    when: {titel: x}\n    link: NOPE\n",
        },
        [
            at(OKRS_2, 2, "no `title`"),
            at(SETTINGS, 1, "schedule"),
            at(GITHUB, 2, "no valid YAML"),
            at(JIRA, 2, "https://"),
            at(JIRA, 3, "'PAY'"),
            at(RULES, 3, "'title'"),
            at(RULES, 4, "'NOPE'"),
        ],
    ),
    "nobody complains about ids in a file that cannot be read": ({OKRS: "bets: [\n"}, [at(OKRS, 1, "no valid YAML")]),
    "ids in a file with another problem are known": (
        {OKRS: GOOD[OKRS] + "    ownr: x\n"},
        [at(OKRS, 14, "unknown key `ownr`")],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_is_told_with_place_and_remedy(name: str, tmp_path: Path) -> None:
    changes, expected = BROKEN[name]
    with pytest.raises(WorkspaceError) as caught:
        load(write(tmp_path, changes), env={})
    told = [(f"{p.path}:{p.line}", p.message) for p in caught.value.problems]
    assert sorted(place for place, _ in told) == sorted(place for place, _ in expected), told
    for place, phrases in expected:
        assert any(there == place and all(p in message for p in phrases) for there, message in told), (phrases, told)
    text = str(caught.value)
    assert "hunter2" not in text
    for jargon in ("Traceback", "pydantic", "ruamel", "Value error", "Input should", "None"):
        assert jargon not in text


@pytest.mark.parametrize("name", BROKEN)
def test_the_command_line_says_the_same_with_exit_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes, expected = BROKEN[name]
    assert run(["check", "--workspace", str(write(tmp_path, changes))], env={}) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "Traceback" not in err
    lines = err.splitlines()
    for place, _ in expected:
        assert any(line.startswith(f"{place}: ") for line in lines), (place, err)
    assert all(re.match(r"[^\n]+:\d+: \S", line) for line in lines if not line.startswith("{")), err


def test_the_table_is_long_enough() -> None:
    assert len(BROKEN) >= 40


def test_problems_are_sorted_and_read_as_path_line_message(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError) as caught:
        load(write(tmp_path, {SETTINGS: "b: 1\na: 2\n", RULES: "c: 3\n"}), env={})
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{SETTINGS}:1", f"{SETTINGS}:2", f"{RULES}:1"]


@pytest.mark.parametrize("exists", [True, False])
def test_no_workspace_says_init(exists: bool, tmp_path: Path) -> None:
    root = tmp_path if exists else tmp_path / "nowhere"
    with pytest.raises(WorkspaceError, match="okrsync init"):
        load(root, env={})


def test_folders_and_pipes_in_place_of_files(tmp_path: Path) -> None:
    import os

    write(tmp_path)
    (tmp_path / "config/okrs/x.yaml").mkdir()
    os.mkfifo(tmp_path / "mappings/pipe.yaml")
    (tmp_path / "connectors/gone.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError) as caught:
        load(tmp_path, env={})
    assert [p.path for p in caught.value.problems] == [
        "config/okrs/x.yaml",
        "connectors/gone.yaml",
        "mappings/pipe.yaml",
    ]
