"""Broken connectors and mappings."""

from __future__ import annotations

from config_samples import GITHUB, GOOD, JIRA, JIRA_2, RULES, SERVER, at, rule

CONNECTORS_AND_MAPPINGS = {
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
    "empty texts": (
        {
            JIRA: "type: jira\nurl: ' '\nprojects:\n  - ''\n",
            GITHUB: "type: github\nurl: https://api.github.com\nrepos:\n  - ''\n",
            RULES: "classes:\n  - ''\n",
        },
        [at(JIRA, 2, "`url` is empty"), at(JIRA, 4, "empty"), at(GITHUB, 4, "empty"), at(RULES, 2, "empty")],
    ),
    "plain http": ({JIRA: "type: jira\nurl: http://acme.example\n"}, [at(JIRA, 2, "https://")]),
    "credentials in the url": (
        {JIRA: "type: jira\nurl: https://u:hunter2@acme.example\n"},
        [at(JIRA, 2, "user or password")],
    ),
    "no url at all": ({JIRA: "type: jira\nurl: acme\n"}, [at(JIRA, 2, "no address", "https://acme.atlassian.net")]),
    "a page of the site": (
        {JIRA: "type: jira\nurl: https://acme.atlassian.net/jira/software/projects/PAY\n"},
        [at(JIRA, 2, "leave out what follows the host", "https://acme.atlassian.net")],
    ),
    "a call of Data Center": (
        {JIRA: "type: jira\nurl: https://jira.example/jira/rest/api/2\n"},
        [at(JIRA, 2, "within the site")],
    ),
    "a call of GitHub": (
        {GITHUB: "type: github\nurl: https://api.github.com/orgs/acme\nrepos: [acme/web]\n"},
        [at(GITHUB, 2, "within the site", "https://api.github.com")],
    ),
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
    "an age beyond the calendar": (
        rule("    team: T\n    when:\n      updated: {older: 99999999d}\n"),
        [at("mappings/second.yaml", 5, "`older` is too long", "36500d")],
    ),
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
}
"""Name -> (files that differ from the good workspace, what is told and where)."""
