"""What a fresh okrsync, with a new store and without faults, makes of the same world: the state to end in."""

from __future__ import annotations

import copy
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from soak_people import People, is_ours

from okrsync.domain.work import StoredItem
from okrsync.sandbox import Sandbox, World
from okrsync.store import open_store
from product import Product, Ran, StoryClock

AGE = timedelta(days=2)  # `comments.after`
SETTINGS = {
    "OKRSYNC_WRITEBACK__COMMENTS__BACKLOG": "true",
    "OKRSYNC_WRITEBACK__COMMENTS__PER_DAY": "1000",
    "OKRSYNC_WRITEBACK__LIMITS__SHARE": "1.0",
    "OKRSYNC_REPORTS__FORMATS": '["json"]',
}


def snapshot(world: World) -> World:
    """The world as it stands, with a clock of its own that stands there too."""
    with world.lock:
        now = world.clock()
        clock = StoryClock(now)
        return copy.deepcopy(world, {id(world.lock): threading.RLock(), id(world.clock): clock})


@contextmanager
def fresh(world: World, workspace: Path, folder: Path) -> Iterator[Product]:
    """A new okrsync with the same workspace over a world of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    clock = world.clock
    assert isinstance(clock, StoryClock)
    with Sandbox(world, clock=clock) as sandbox:
        product = Product(folder, sandbox, clock, env=SETTINGS)
        for name in ("config", "mappings"):
            shutil.copytree(workspace / name, folder / name, dirs_exist_ok=True)
        yield product


def alignments(world: World, workspace: Path, folder: Path) -> dict[str, str]:
    """By id, as a fresh okrsync judges a world (which is not changed)."""
    with fresh(snapshot(world), workspace, folder) as product:
        product.run("pull")
        return product.alignments()


def rows(product: Product, url: str) -> dict[str, StoredItem]:
    """What a store holds and counts, by uid."""
    with closing(open_store(url, label_prefix="okr/", clock=product.clock, sleep=product.clock.sleep)) as store:
        return {s.item.uid: s for s in store.items() if not s.chased}


def shown(stored: StoredItem) -> dict[str, Any]:
    """Of a row what has to be the same in both stores."""
    item = stored.item
    names = ("id", "container", "kind", "title", "body", "status", "state", "dropped", "draft", "branch", "locked")
    return {**{n: getattr(item, n) for n in names}, "labels": sorted(item.labels), "archived": item.archived}


def compare(product: Product, url: str, people: People, folder: Path) -> list[str]:
    """How the soaked okrsync differs from the fixpoint that the fresh one reaches in a copy of its world."""
    wrong: list[str] = []
    mine, held = product.alignments(), rows(product, url)
    with fresh(snapshot(people.world), product.root, folder) as other:
        other.run("pull")
        alignment, true = other.alignments(), rows(other, f"sqlite:///{folder}/okrsync.db")
        wrong += differing("alignment", mine, alignment)
        wrong += differing("row", {u: shown(s) for u, s in held.items()}, {u: shown(s) for u, s in true.items()})
        ran = [other.sync(), other.sync()]
        if any(r.exit != 0 for r in ran) or ran[1].json["plan"]["counts"]["items"]:
            wrong.append(f"the fresh okrsync does not settle: {[(r.exit, r.out[-600:], r.err[-600:]) for r in ran]}")
        ideal = {u: x for u, _, x in People(other.sandbox.world, folder, people.dice, people.log).items()}
        for uid, id_, found in people.items():
            wrong += _written(people, uid, found, ideal[uid], f"{id_} ({alignment.get(id_)})")
    return wrong


def _written(people: People, uid: str, found: Any, ideal: Any, name: str) -> list[str]:
    """What is written on one item, against what a fresh okrsync makes of it. Only what people took away may lack
    (DESIGN section 7), and a comment that something above the item bore for both before it was closed."""
    wrong: list[str] = []
    have, want = set(filter(is_ours, found.labels)), set(filter(is_ours, ideal.labels))
    ours, best = ([(c.body, c.properties) for c in x.comments if c.author == people.world.bot] for x in (found, ideal))
    if have - want:
        wrong.append(f"{name} bears {sorted(have - want)}, it should bear {sorted(want)}")
    if lacking := want - have - people.removed.get(uid, set()):
        wrong.append(f"{name} lacks {sorted(lacking)}, and nobody took that away")
    if ours and ours != best:
        wrong.append(f"{name}: its comment says {ours}, it should say {best}")
    # the fresh one waits for its turn to write so often that an item may come of age meanwhile
    young = people.world.clock() - found.created < AGE
    if best and not (ours or young or uid in people.deleted or any(map(people.spoke, people.above(found)))):
        wrong.append(f"{name} lacks its comment, and nobody took that away")
    return wrong


def differing(what: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    found = []
    for key in sorted({*mine, *theirs}):
        one, other = mine.get(key), theirs.get(key)
        if one != other:
            if isinstance(one, dict) and isinstance(other, dict):
                one, other = ({k: v for k, v in a.items() if b[k] != v} for a, b in ((one, other), (other, one)))
            found.append(f"{what} of {key}: {one}, fresh: {other}")
    return found


def told(ran: Ran) -> str:
    """A run in one line, for the log."""
    if ran.exit not in (0, 3) or not ran.out.startswith("{"):
        return f"exit {ran.exit} {ran.err.strip().splitlines()[-1:]}"
    data = ran.json
    bad = {s["name"]: s["error"] for s in data["run"]["sources"] if s["error"]}
    done = data["applied"] or {}
    return f"exit {ran.exit} {data['plan']['counts']['items']} planned, {done.get('done')} done, {done.get('failed')} {bad}"
