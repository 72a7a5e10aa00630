"""The fictional company that the demo shows: four teams, about 150 tickets and pull requests, all dated
relative to one Monday morning. The same moment makes the same world."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from . import story_github, story_jira
from .github_state import GitHubState
from .jira_state import JiraState
from .records import Comment, Issue, Item
from .world import StoryClock, World

PEOPLE = {
    "ada": "Ada Park",
    "ines": "Inês Duarte",
    "jonas": "Jonas Berg",
    "kofi": "Kofi Mensah",
    "lin": "Lin Wu",
    "mei": "陈梅",
    "noor": "Noor Haddad",
    "sam": "Sam Roy",
    "tom": "Tom Okafor",
}


def company(now: datetime) -> World:
    """The company as it stands at `now` (aware, UTC), with a clock that stands there too."""
    world = World(StoryClock(now))
    for login, name in PEOPLE.items():
        world.add_person(login, name)
    world.add_person("outsider", "Robin", member=False)
    world.add_person("dependabot[bot]", "dependabot[bot]", bot=True, member=False)
    _tickets(world.jira, now)
    for name, (private, archived) in story_github.REPOS.items():
        _repository(world.github, name, now, private=private, archived=archived)
    _between_items(world.github)
    _comments(world, now)
    return world


def untied(now: datetime) -> World:
    """The company on its first day with okrsync: nobody has tied a ticket to a goal yet."""
    world = company(now)
    work: list[Issue | Item] = [*world.jira.issues.values(), *world.github.nodes.values()]
    for found in work:
        found.labels = [label for label in found.labels if not re.search(r":|^initiative-", label)]
        found.body = re.sub(r"(?m)^(OKR|Initiative|Objective): ", "About ", found.body or "")
        found.comments = []
        if isinstance(found, Issue):
            found.values.pop("OKR Initiative", None)
    return world


def _ago(now: datetime, days: str | float, spread: int) -> datetime:
    """So many days ago; `spread` keeps items apart by minutes, so that no order depends on ties."""
    return now - timedelta(days=float(days), minutes=7 * (spread % 60) + 5)


def _rows(table: str, columns: int) -> list[list[str]]:
    rows = []
    for line in table.strip().splitlines():
        cells = [c.strip() for c in line.split("|")]
        rows.append(cells + [""] * (columns - len(cells)))
    return rows


# --- Jira ----------------------------------------------------------------------------------------------------


def _tickets(jira: JiraState, now: datetime) -> None:
    for key, name in story_jira.PROJECTS.items():
        jira.add_project(key, name, visible=key != "SEC")
    for n, row in enumerate(_rows(story_jira.TICKETS, 9)):
        key, kind, parent, status, created, updated, assignee, title, labels = row
        done = status == "Done"
        issue = jira.add_issue(
            key.partition("-")[0],
            title,
            key=key,
            type=kind,
            parent=parent or None,
            status=status,
            created=_ago(now, created, n),
            updated=_ago(now, updated, n),
            assignee=assignee or None,
            reporter=assignee or "ada",
            labels=labels.split(),
            body=story_jira.BODIES.get(key, ""),
            components=list(story_jira.COMPONENTS.get(key, [])),
            priority=story_jira.PRIORITIES.get(key, "Medium"),
            resolution=story_jira.RESOLUTIONS.get(key, "Done") if done else None,
            security=story_jira.SECURITY.get(key),
            values=dict(story_jira.FIELDS.get(key, {})),
        )
        if jira.category(issue) == "indeterminate":
            issue.category_changed = max(issue.created, issue.updated - timedelta(days=5))
    for one, kind, other in story_jira.LINKS:
        first, second = jira.issues[jira.keys[one]], jira.issues[jira.keys[other]]
        first.links.append((kind, "outward", second.id))
        second.links.append((kind, "inward", first.id))


# --- GitHub --------------------------------------------------------------------------------------------------


def _repository(github: GitHubState, name: str, now: datetime, *, private: bool, archived: bool) -> None:
    repo = github.add_repo(f"{story_github.ORG}/{name}", private=private, archived=archived)
    if name in story_github.MILESTONES:
        title, body = story_github.MILESTONES[name]
        github.add_milestone(repo, title, body, created=_ago(now, 60, 0))
    for n, row in enumerate(_rows(story_github.ITEMS[name], 8)):
        number, kind, state, created, updated, author, title, labels = row
        ref, pull, moved = f"{name}#{number}", kind != "issue", _ago(now, updated, n)
        github.add_item(
            repo,
            title,
            number=int(number),
            pull=pull,
            draft=kind == "draft",
            created=_ago(now, created, n),
            updated=moved,
            author=author,
            labels=[x for x in labels.split(",") if x],
            state="open" if state == "open" else "closed",
            state_reason="not_planned" if state == "dropped" else None,
            merged=moved if state == "merged" else None,
            closed=moved if state != "open" else None,
            body=story_github.BODIES.get(ref),
            branch=_branch(ref, author, title) if pull else "",
            milestone=1 if ref in story_github.IN_MILESTONE else None,
            locked=ref in story_github.LOCKED,
            type=story_github.TYPES.get(ref),
            assignees=list(story_github.ASSIGNEES.get(ref, [])),
        )


def _branch(ref: str, author: str, title: str) -> str:
    """As given, else made of author and title; without digits, lest a branch names a ticket by accident."""
    words = "-".join("".join(c if c.isascii() and c.isalpha() else " " for c in title.lower()).split()[:4])
    return story_github.BRANCHES.get(ref, f"{author.removesuffix('[bot]')}/{words or 'work'}")


def _between_items(github: GitHubState) -> None:
    for ref, targets in story_github.CLOSES.items():
        _item(github, ref).closes = [_item(github, t).node_id for t in targets]
    for ref, above in story_github.PARENTS.items():
        _item(github, ref).parent = _item(github, above).node_id


def _item(github: GitHubState, ref: str) -> Item:
    item = github.item(f"{story_github.ORG}/{ref}")
    assert item is not None, ref
    return item


# --- both ----------------------------------------------------------------------------------------------------


def _comments(world: World, now: datetime) -> None:
    """Without touching `updated`: the tables say when an item was last touched."""
    for n, (key, by, days, text) in enumerate(story_jira.COMMENTS):
        _said(world.find(f"jira:{key}"), 19000 + n, by, _ago(now, days, 0), text)
    for n, (ref, by, days, text) in enumerate(story_github.COMMENTS):
        _said(_item(world.github, ref), 3_400_000_000 + n, by, _ago(now, days, 0), text)


def _said(item: Issue | Item, id_: int, by: str, at: datetime, text: str) -> None:
    item.comments.append(Comment(id=id_, author=by, body=text, created=at, updated=at))
    item.updated = max(item.updated, at)
