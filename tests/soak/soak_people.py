"""What people do to the company while okrsync runs, by chance, and what of it okrsync has to respect."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from okrsync.sandbox import World

GOALS = ("objective:O1", "objective:O2", "kr:O3.KR2", "initiative:INIT-LEDGER", "initiative:INIT-CHECKOUT")
LABELS = (
    *GOALS,
    "bug",
    "ux",
    "checkout",
    "exempt:tech-debt",
    "initiative:NOPE-1",
    "okr/kept-by-hand",
    "objective:Q3-O2",
)
OURS = ("okr/O1", "okr/O2", "okr/unlinked", "okr/stale")
BODIES = (
    "Nothing to see.", "OKR: O1.KR1", "OKR: O2, O3", "Fixes #1", "Jira: PAY-11", "Initiative: INIT-WALLETS", "OKR: O77.KR1",
    "> OKR: O1\n\nquoted", "Fixes PAY-20\nOKR: INIT-RESILIENCE", "@team #12 <b>",
)  # fmt: skip
TITLES = (
    "Quiet work",
    "PAY-2: more of it",
    "[WEB-11] tokens",
    "OPS-3/5 rehearse",
    "支付 again",
    "=cmd() | x",
    "WEB-99 none",
)
INITIATIVES = ("INIT-CHECKOUT", "INIT-SELFSERVE", "INIT-RESILIENCE", "INIT-LEDGER")
PROJECTS = ("PAY", "WEB", "OPS", "GRO")


def is_ours(label: str) -> bool:
    return label.startswith("okr/") and label != "okr/kept-by-hand"


@dataclass
class People:
    """`removed`, `deleted`: what people took away of okrsync's, by uid: labels, and the number of comments;
    `imitated`: ids on which they put a label as okrsync writes it; `settings`: the workspace that people edit;
    `log`: told what was done."""

    world: World
    workspace: Path
    dice: Random
    log: Callable[[str], None]
    removed: dict[str, set[str]] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    imitated: set[str] = field(default_factory=set)
    edits: int = 0

    # --- looking ----------------------------------------------------------------------------------------------

    def items(self) -> Iterator[tuple[str, str, Any]]:
        """(uid, id, record) of everything, in a fixed order."""
        for issue in list(self.world.jira.issues.values()):
            yield f"jira:{issue.id}", f"jira:{issue.key}", issue
        for item in list(self.world.github.nodes.values()):
            yield f"github:{item.node_id}", f"github:{self.world.github.name(item)}", item

    def open(self, found: Any) -> bool:
        return found.state == "open" if hasattr(found, "node_id") else self.world.jira.category(found) != "done"

    def archived(self, found: Any) -> bool:
        return hasattr(found, "node_id") and self.world.github.repos[found.repo].archived

    def theirs(self) -> dict[str, Any]:
        """What only people may alter, by uid."""
        with self.world.lock:
            return {
                uid: (
                    id_,
                    found.title,
                    found.body,
                    self.open(found),
                    sorted(x for x in found.labels if not is_ours(x)),
                    [(c.id, c.body) for c in found.comments if c.author != self.world.bot],
                )
                for uid, id_, found in self.items()
            }

    def closed(self) -> dict[str, Any]:
        """What okrsync left on closed and archived items, by uid: it must stay as it is."""
        with self.world.lock:
            return {
                uid: (id_, sorted(found.labels), [(c.id, c.body) for c in found.comments])
                for uid, id_, found in self.items()
                if not self.open(found) or self.archived(found)
            }

    def our_comments(self) -> dict[str, list[int]]:
        with self.world.lock:
            return {uid: [c.id for c in x.comments if c.author == self.world.bot] for uid, _, x in self.items()}

    def bearing(self, label: str) -> set[str]:
        with self.world.lock:
            return {id_ for _, id_, found in self.items() if label in found.labels}

    def above(self, found: Any) -> list[Any]:
        """What it may inherit from: parents, what it closes and names, and so on upwards."""
        seen: list[Any] = []
        queue = [found]
        while queue:
            at = queue.pop()
            if hasattr(at, "node_id"):
                over = [self.world.github.nodes.get(n) for n in (at.parent, *at.closes)]
                text = f"{at.title} {at.branch} {at.body}"
                over += [self.world.jira.find(k.upper()) for k in re.findall(r"[A-Za-z]{3}-\d+", text)]
                repo = self.world.github.repos[at.repo]
                over += [repo.items.get(int(n)) for n in re.findall(r"#(\d+)", text)]
            else:
                over = [self.world.jira.issues.get(at.parent or 0)]
                over += [self.world.jira.issues.get(to) for _, _, to in at.links]
            fresh = [x for x in over if x is not None and x not in seen and x is not found]
            seen += fresh
            queue += fresh
        return seen

    def spoke(self, found: Any) -> bool:
        """It bears our comment, or bore it until people deleted it."""
        uid = f"github:{found.node_id}" if hasattr(found, "node_id") else f"jira:{found.id}"
        return uid in self.deleted or any(c.author == self.world.bot for c in found.comments)

    # --- acting -----------------------------------------------------------------------------------------------

    def act(self) -> None:
        """One edit by chance."""
        names, weights = zip(*DEEDS, strict=True)
        name = self.dice.choices(names, weights)[0]
        with self.world.lock:
            done = getattr(self, f"_{name}")(self.dice)
        if done:
            self.edits += 1
            self.log(f"people: {name} {done}")

    def _any(self, dice: Random, where: Callable[[str, Any], bool] = lambda i, x: True) -> tuple[str, str, Any] | None:
        fitting = [(u, i, x) for u, i, x in self.items() if not i.startswith("jira:SEC") and where(i, x)]
        return dice.choice(fitting) if fitting else None

    def _open_one(self, dice: Random, source: str = "") -> tuple[str, str, Any] | None:
        return self._any(dice, lambda i, x: i.startswith(source) and self.open(x) and not self.archived(x))

    def _create_issue(self, dice: Random) -> str:
        project, kind = dice.choice(PROJECTS), dice.choice(("Story", "Task", "Bug", "Epic"))
        parent = self._any(dice, lambda i, x: i.startswith("jira:") and x.type == "Epic")
        labels = [dice.choice(LABELS)] if dice.random() < 0.4 else []
        more = {"parent": parent[2].key} if parent and kind != "Epic" and dice.random() < 0.5 else {}
        issue = self.world.jira.add_issue(
            project, dice.choice(TITLES), type=kind, labels=labels, reporter="mei", body=dice.choice(BODIES), **more
        )
        return f"{issue.key} {kind} {labels} {more}"

    def _create_item(self, dice: Random) -> str:
        repo = dice.choice([r for r in self.world.github.repos.values() if not r.archived])
        pull = dice.random() < 0.5
        item = self.world.github.add_item(
            repo,
            dice.choice(TITLES),
            pull=pull,
            author=dice.choice(("mei", "dependabot[bot]", "outsider")),
            body=dice.choice(BODIES),
            branch=f"work/{repo.last}" if pull else "",
            labels=[dice.choice(LABELS)] if dice.random() < 0.3 else [],
        )
        return self.world.github.name(item)

    def _close(self, dice: Random) -> str:
        found = self._open_one(dice)
        if found is None:
            return ""
        reason = None
        if found[1].startswith("github:"):
            reason = dice.choice(("completed", "not_planned")) if not found[2].pull else dice.choice((None, "merged"))
        self.world.close(found[1], "lin", reason)
        return f"{found[1]} {reason}"

    def _reopen(self, dice: Random) -> str:
        found = self._any(
            dice, lambda i, x: not self.open(x) and not self.archived(x) and not getattr(x, "merged", None)
        )
        if found:
            self.world.reopen(found[1], "lin")
        return found[1] if found else ""

    def _retitle(self, dice: Random) -> str:
        found = self._open_one(dice)
        if not found:
            return ""
        self.world.edit_title(found[1], title := dice.choice(TITLES), "lin")
        return f"{found[1]} {title!r}"

    def _rewrite(self, dice: Random) -> str:
        found = self._open_one(dice)
        if not found:
            return ""
        self.world.edit_body(found[1], body := dice.choice(BODIES), "lin")
        return f"{found[1]} {body!r}"

    def _move(self, dice: Random) -> str:
        found = self._any(dice, lambda i, x: i.startswith("jira:"))
        if not found:
            return ""
        to = dice.choice([p for p in (*PROJECTS, "SEC") if p != found[2].project])
        return f"{found[1]} to {self.world.move_issue(found[1], to, 'lin')}"

    def _move_back(self, dice: Random) -> str:
        away = [i for i in self.world.jira.issues.values() if i.project == "SEC" and i.key != "SEC-1"]
        if not away:
            return ""
        one = dice.choice(away)
        was = one.key
        return f"{was} to {self.world.move_issue(f'jira:{was}', dice.choice(PROJECTS), 'lin')}"

    def _transfer(self, dice: Random) -> str:
        found = self._any(dice, lambda i, x: hasattr(x, "node_id") and not x.pull and not self.archived(x))
        if not found:
            return ""
        to = dice.choice([r for r in self.world.github.repos.values() if not r.archived and r.id != found[2].repo])
        return f"{found[1]} to {self.world.transfer(found[1], to.full_name, 'lin')}"

    def _delete(self, dice: Random) -> str:
        found = self._any(dice, lambda i, x: not (hasattr(x, "node_id") and x.pull) and not self.archived(x))
        if not found:
            return ""
        self.world.delete(found[1], "lin")
        return found[1]

    def _label(self, dice: Random) -> str:
        found = self._open_one(dice)
        if not found:
            return ""
        self.world.add_label(found[1], label := dice.choice(LABELS), "lin")
        return f"{found[1]} {label}"

    def _label_like_ours(self, dice: Random) -> str:
        found = self._open_one(dice)
        if not found:
            return ""
        self.world.add_label(found[1], label := dice.choice(OURS), "lin")
        self.imitated.add(found[1])
        return f"{found[1]} {label}"

    def _unlabel(self, dice: Random) -> str:
        found = self._any(dice, lambda i, x: any(not is_ours(label) for label in x.labels) and not self.archived(x))
        if not found:
            return ""
        self.world.remove_label(found[1], gone := dice.choice([x for x in found[2].labels if not is_ours(x)]), "lin")
        return f"{found[1]} {gone}"

    def _dismiss_label(self, dice: Random) -> str:
        found = self._any(dice, lambda i, x: any(map(is_ours, x.labels)) and not self.archived(x))
        if not found:
            return ""
        self.world.remove_label(found[1], gone := dice.choice([x for x in found[2].labels if is_ours(x)]), "lin")
        self.removed.setdefault(found[0], set()).add(gone)
        return f"{found[1]} {gone}"

    def _dismiss_comment(self, dice: Random) -> str:
        bot = self.world.bot
        found = self._any(dice, lambda i, x: any(c.author == bot for c in x.comments) and not self.archived(x))
        if not found:
            return ""
        self.world.delete_comment(found[1], next(c.id for c in found[2].comments if c.author == bot), "lin")
        self.deleted[found[0]] = self.deleted.get(found[0], 0) + 1
        return found[1]

    def _say(self, dice: Random) -> str:
        found = self._open_one(dice)
        if found:
            self.world.comment(found[1], dice.choice(("I see.", "See #3 and PAY-1", "okr/unlinked? why")), "lin")
        return found[1] if found else ""

    def _parent(self, dice: Random) -> str:
        found = self._open_one(dice)
        if (
            not found
            or getattr(found[2], "pull", False)
            or getattr(found[2], "type", "") in ("Epic", "Initiative", "Sub-task")
        ):
            return ""
        source = found[1].partition(":")[0]
        above = self._any(
            dice,
            lambda i, x: (
                i.startswith(source) and i != found[1] and (x.type == "Epic" if source == "jira" else not x.pull)
            ),
        )
        to = above[1] if above and dice.random() < 0.7 else None
        self.world.set_parent(found[1], to, "lin")
        return f"{found[1]} under {to}"

    def _okr_field(self, dice: Random) -> str:
        found = self._open_one(dice, "jira:")
        if not found:
            return ""
        value = dice.choice((None, {"id": "1", "value": dice.choice(INITIATIVES)}))
        self.world.set_field(found[1], "OKR Initiative", value, "lin")
        return f"{found[1]} {value}"

    def _lock(self, dice: Random) -> str:
        found = self._open_one(dice, "github:")
        if found:
            self.world.lock_item(found[1], "lin")
        return found[1] if found else ""

    def _rename(self, dice: Random) -> str:
        repo = dice.choice([r for r in self.world.github.repos.values() if r.full_name != "acme/legacy-shop"])
        was = repo.full_name
        stem = was.rpartition("-v")[0] or was
        self.world.rename_repo(was, f"{stem}-v{dice.randrange(100)}", "lin")
        return f"{was} to {repo.full_name}"

    def _archive(self, dice: Random) -> str:
        repo = dice.choice(list(self.world.github.repos.values()))
        if repo.full_name.startswith("acme/web"):
            return ""
        repo.archived = not repo.archived
        return f"{repo.full_name} {repo.archived}"

    def _hide(self, dice: Random) -> str:
        """Somebody takes a permission away; `restore` gives it back."""
        place = dice.choice([*self.world.github.repos.values(), *(self.world.jira.projects[p] for p in PROJECTS)])
        what = "writable" if hasattr(place, "writable") and dice.random() < 0.5 else "visible"
        setattr(place, what, False)
        return f"{getattr(place, 'full_name', '') or place.key} {what}"

    def _mapping(self, dice: Random) -> str:
        """The rule that has one initiative gets another; or an initiative supports something else, or ends."""
        rules = self.workspace / "mappings" / "10-links.yaml"
        text = rules.read_text("utf-8")
        was, now = dice.sample(("link: INIT-CHECKOUT", "link: INIT-SELFSERVE", "link: INIT-RESILIENCE"), 2)
        rules.write_text(text.replace(was, now), "utf-8")
        return f"{was} is now {now}" if was in text else ""

    def _goals(self, dice: Random) -> str:
        goals = self.workspace / "config" / "okrs" / "2026-Q4.yaml"
        lines = goals.read_text("utf-8").splitlines()
        choices = [n for n, line in enumerate(lines) if "{id: INIT-" in line and "supports: [" in line]
        at = dice.choice(choices)
        head, _, rest = lines[at].partition("supports: [")
        to = dice.choice(("O1.KR1", "O2.KR1", "O3.KR1", "O3.KR2"))
        lines[at] = f"{head}supports: [{to}]{rest.partition(']')[2]}"
        goals.write_text("\n".join(lines) + "\n", "utf-8")
        return lines[at].strip()[:60]

    def restore(self) -> None:
        """Permissions come back."""
        with self.world.lock:
            for repo in self.world.github.repos.values():
                repo.visible = True
            for key in PROJECTS:
                self.world.jira.projects[key].visible = self.world.jira.projects[key].writable = True


DEEDS = (
    ("create_issue", 8), ("create_item", 8), ("close", 8), ("reopen", 5), ("retitle", 5), ("rewrite", 8), ("move", 4),
    ("move_back", 2), ("transfer", 4), ("delete", 3), ("label", 8), ("label_like_ours", 3), ("unlabel", 6),
    ("dismiss_label", 7), ("dismiss_comment", 6), ("say", 3), ("parent", 8), ("okr_field", 3), ("lock", 0.5),
    ("rename", 1), ("archive", 1), ("hide", 1), ("mapping", 2), ("goals", 2),
)  # fmt: skip
