"""Changing the mapping, undoing everything, two processes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from okrsync.store import open_store
from product import Product


def ours(item: dict) -> set[str]:
    return {x for x in item["labels"] if x.startswith("okr/")}


def test_a_changed_mapping_moves_exactly_its_labels(product: Product) -> None:
    product.first_cycle()
    product.sync()
    before = product.sandbox.world.snapshot()["items"]
    file = product.root / "mappings" / "10-links.yaml"
    rule = "link: INIT-CHECKOUT"
    assert rule in file.read_text()
    # what hangs on that rule goes from O1 to O2
    file.write_text(file.read_text().replace(rule, "link: INIT-SELFSERVE"))
    planned = product.run("plan", "--format", "json").json
    moving = {c["target"] for c in planned["changes"]}
    assert moving
    assert {(c["op"], c["value"]) for c in planned["changes"]} <= {
        ("remove_label", "okr/O1"),
        ("add_label", "okr/O2"),
        ("create_label", "okr/O2"),
    }
    ran = product.sync()
    assert ran.exit == 0, ran
    after = product.sandbox.world.snapshot()["items"]
    changed = {i for i in after if after[i] != before[i]}
    assert changed == {i for i in moving if i in after}
    for id_ in changed:
        assert after[id_]["comments"] == before[id_]["comments"]
        assert ours(before[id_]) - ours(after[id_]) == {"okr/O1"}
        assert ours(after[id_]) - ours(before[id_]) == {"okr/O2"}
        data = product.explain(id_)
        assert any(hop["via"] == "rule" and hop["to"] == "INIT-SELFSERVE" for hop in data["path"]), id_


def test_undo_leaves_the_sandbox_as_it_was(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    world = product.sandbox.world
    before = world.snapshot()
    product.first_cycle()
    product.sync()
    someone = next(p.login for p in world.people.values() if not p.bot and p.login != world.bot)
    labelled = next(i for i, v in world.snapshot()["items"].items() if "okr/unlinked" in v["labels"])
    world.close(labelled, someone)
    dry = product.run("undo", "--dry-run")
    assert dry.exit == 0
    assert product.run("undo").exit == 2, "nobody can answer here, so it wants --yes"
    assert world.snapshot() != before
    undone = product.run("undo", "--yes")
    assert undone.exit == 0, undone
    after = world.snapshot()
    after["items"][labelled]["state"] = before["items"][labelled]["state"]
    assert after == before
    assert product.run("undo", "--yes").exit == 0, "twice does no harm"


def test_after_undo_labels_are_defined_anew_with_what_they_mean(product: Product) -> None:
    product.first_cycle()
    before = product.sandbox.world.snapshot()["label_definitions"]
    assert product.run("undo", "--yes").exit == 0
    product.sync("--approve", product.sync().json["plan"]["checksum"])
    assert product.sandbox.world.snapshot()["label_definitions"] == before


def test_undo_without_a_journal_goes_by_mark_and_prefix(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    world = product.sandbox.world
    before = world.snapshot()["items"]
    product.first_cycle()
    for path in product.root.glob("okrsync.db*"):
        path.unlink()
    product.run("pull")
    undone = product.run("undo", "--yes")
    assert undone.exit == 0, undone
    assert world.snapshot()["items"] == before


def test_two_at_once_and_a_kill(product: Product, tmp_path: Path) -> None:
    product.sandbox.faults.latency = 0.3
    env = {**os.environ, **product.env, "OKRSYNC_TEST_NOW": product.clock().isoformat()}
    script = Path(__file__).parent.parent / "run_cli.py"
    command = [sys.executable, str(script), "sync", "--workspace", str(product.root)]
    holder = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        while not product.sandbox.requests and holder.poll() is None:
            pass  # until it holds the lease and talks to the servers
        second = product.run("sync")
        assert second.exit == 4, second
        assert "Traceback" not in second.err
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    product.sandbox.faults.latency = 0.0
    assert product.sync().exit == 3, "the lease died with its process; the gate refuses the first run"


def test_apply_looks_at_what_has_happened_since_the_pull(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__RULES"] = "[]"
    product.run("pull")
    world = product.sandbox.world
    someone = next(p.login for p in world.people.values() if not p.bot and p.login != world.bot)
    planned = product.run("plan", "--format", "json").json
    unlinked = [c["target"] for c in planned["changes"] if c["value"] == "okr/unlinked" and c["op"] == "add_label"]
    jira = [i for i in unlinked if i.startswith("jira:")]
    github = [i for i in unlinked if i.startswith("github:")]
    product.clock.advance(minutes=5)
    closed, relinked = (jira[0], github[0]), (jira[1], github[1])
    for id_ in closed:
        world.close(id_, someone)
    for id_ in relinked:
        world.add_label(id_, "objective:O1", someone)
    assert product.run("apply", "--approve", planned["checksum"]).exit in (0, 3)
    for id_ in closed:
        assert not ours({"labels": world.find(id_).labels}), f"{id_} is closed"
    for id_ in relinked:
        assert "okr/unlinked" not in world.find(id_).labels, f"{id_} is linked by now"
    assert "okr/unlinked" in world.find(jira[2]).labels


def test_after_the_database_is_lost_the_comments_live_on_and_undo_finds_everything(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    world = product.sandbox.world
    before = world.snapshot()["items"]
    product.first_cycle()
    someone = next(p.login for p in world.people.values() if not p.bot and p.login != world.bot)
    commented = [
        i for i, v in world.snapshot()["items"].items() if any(c["author"] == world.bot for c in v["comments"])
    ]
    for path in product.root.glob("okrsync.db*"):
        path.unlink()
    product.clock.advance(minutes=5)
    world.add_label(commented[0], "objective:O1", someone)
    product.sync()
    ours_now = [c for c in world.find(commented[0]).comments if c.author == world.bot]
    assert len(ours_now) == 1
    assert "Resolved" in ours_now[0].body
    assert product.run("undo", "--yes").exit == 0
    world.remove_label(commented[0], "objective:O1", someone)
    assert world.snapshot()["items"] == before


def test_verbs_that_only_read_take_no_lease_and_say_what_was_not_read(product: Product) -> None:
    never = product.run("plan")
    assert never.exit == 3
    assert "never read" in never.err
    product.first_cycle()
    url = f"sqlite:///{product.root}/okrsync.db"
    opened = open_store(url, label_prefix="okr/", clock=product.clock, sleep=product.clock.sleep)
    with closing(opened) as store, store.lease():
        assert product.run("undo", "--dry-run").exit == 0
        assert product.run("undo", "--yes").exit == 4


def test_a_place_that_refuses_us_is_told_once_and_tried_again_a_day_later(product: Product) -> None:
    world = product.sandbox.world
    world.jira.projects["OPS"].writable = False
    first = product.first_cycle()
    assert first.exit == 0, first
    assert first.json["applied"]["skipped"]
    assert "jira:OPS" in first.err
    sent = len(product.sandbox.writes)
    second = product.sync()
    assert second.exit == 0, second
    assert not second.json["applied"]["skipped"]
    assert "jira:OPS" not in second.err
    assert len(product.sandbox.writes) == sent, "nothing is tried there again"

    world.jira.projects["OPS"].writable = True
    product.clock.advance(days=1)
    healed = product.sync()
    if healed.exit == 3:
        healed = product.sync("--approve", healed.json["plan"]["checksum"])
    assert healed.json["applied"]["done"] > 0
    assert any("okr/" in x for i in world.jira.issues.values() if i.project == "OPS" for x in i.labels)


def test_what_hung_on_a_deleted_parent_is_judged_on_its_own(product: Product) -> None:
    """The server does not touch the children when it deletes their parent."""
    product.first_cycle()
    world = product.sandbox.world
    world.add_label("github:acme/web#7", "objective:O1", "lin")
    product.sync()
    product.clock.advance(hours=1)
    world.edit_title("github:acme/web#24", "Newer than the child, which is not read again", "lin")
    product.sync()
    assert product.alignments()["github:acme/web#8"] == "linked"
    world.delete("github:acme/web#7", "lin")
    product.clock.advance(days=1)
    product.sync()
    assert product.alignments()["github:acme/web#8"] == "unlinked"
    assert "okr/unlinked" in world.find("github:acme/web#8").labels
