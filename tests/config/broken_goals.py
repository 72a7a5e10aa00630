"""Broken settings, YAML and goals."""

from __future__ import annotations

from config_samples import OKRS, OKRS_2, Q3, RULES, SETTINGS, at, okrs

SETTINGS_AND_GOALS = {
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
    "a date instead of a duration": (
        {SETTINGS: "cycles: {grace: 2026-01-01}\nrules: {idle_after: true}\n"},
        [at(SETTINGS, 1, "`grace`: 2026-01-01 is not"), at(SETTINGS, 2, "`idle_after`: true is not")],
    ),
    "a truth value is no number": (
        {
            SETTINGS: "writeback: {limits: {share: true}}\n",
            **okrs("bets: [{id: B9, title: t, weight: true}]\n"),
        },
        [at(SETTINGS, 1, "`share` must be a number, not true"), at(OKRS_2, 2, "`weight` must be a number, not true")],
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
    "supports itself": (
        okrs("objectives:\n  - {id: O2, title: t,\n     supports: [O2]}\n"),
        [at(OKRS_2, 4, "'O2' supports itself")],
    ),
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
}
"""Name -> (files that differ from the good workspace, what is told and where)."""
