"""Why the rate moved, on the example company: one thing is changed at a time, and that is what the report names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from product import Product

QUIET = "Unchanged"


def moves(product: Product) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(product.run("report", "--format", "json").out)["moves"]
    return found


def points(move: dict[str, Any]) -> dict[str, float]:
    return {c["name"]: c["points"] for c in move["causes"]}


def causes(product: Product) -> dict[str, dict[str, Any]]:
    """Since the run before, as the report that this run wrote says."""
    last = json.loads((product.root / "reports" / "okrsync.json").read_text(encoding="utf-8"))["moves"][0]
    return {c["name"]: c for c in last["causes"]}


def moving(product: Product) -> set[str]:
    found = causes(product)
    assert set(found) == {"work", "goals", "mapping", "coverage"}
    fields = ("points", "entered", "left", "gained", "lost", "other")
    return {name for name, c in found.items() if any(c[field] for field in fields)}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_work_goals_rules_and_coverage_are_told_apart(product: Product) -> None:
    product.sync()
    product.clock.advance(minutes=1)
    assert moves(product)[0]["run"] is not None  # the report verb compares with the last recorded run
    product.sync()
    assert moving(product) == set()
    text = product.run("report", "--format", "md").out
    assert "Since the last run" in text
    assert "Nothing that could move it has changed" in text
    assert "No run that is one to two weeks old is recorded yet" in text

    world = product.sandbox.world
    someone = next(p.login for p in world.people.values() if not p.bot and p.login != world.bot)
    world.add_label("jira:PAY-31", "objective:O1", someone)  # in progress and unlinked
    product.sync()
    assert moving(product) == {"work"}
    assert causes(product)["work"]["gained"] == 1

    rules = product.root / "mappings" / "90-mine.yaml"
    rules.write_text("rules:\n  - {name: all of operations, when: {project: OPS}, link: O3}\n", encoding="utf-8")
    product.sync()
    assert moving(product) == {"mapping"}
    assert causes(product)["mapping"]["details"] == ["added: all of operations"]
    assert causes(product)["mapping"]["gained"] >= 1

    goals = next(p for p in (product.root / "config" / "okrs").glob("*.yaml") if "2026-Q4" in p.read_text("utf-8"))
    edit(
        goals,
        "supports: [O1.KR1], owner: Lin Wu, team: Payments, status: active",
        "supports: [O1.KR1], owner: Lin Wu, team: Payments, status: stopped, ended: 2026-10-16",
    )
    product.sync()
    assert moving(product) == {"goals"}
    assert causes(product)["goals"]["details"] == ["ended: INIT-CHECKOUT"]
    assert causes(product)["goals"]["lost"] >= 1


def test_a_project_that_leaves_the_scope_moves_coverage_alone(product: Product) -> None:
    product.sync()
    file = product.root / "connectors" / "jira.yaml"
    edit(file, "OPS, GRO]", "OPS]")
    product.sync()
    assert moving(product) == {"coverage"}
    assert causes(product)["coverage"]["left"] >= 1
    assert causes(product)["coverage"]["details"] == ["no longer in scope: jira:GRO"]
    edit(file, "OPS]", "OPS, GRO]")
    product.sync()
    assert moving(product) == {"coverage"}
    assert causes(product)["coverage"]["entered"] >= 1


def test_a_source_that_fails_moves_coverage_or_withholds_the_rate(product: Product) -> None:
    product.sync()
    product.env["OKRSYNC_GITHUB_TOKEN"] = "revoked"
    assert product.sync().exit == 3
    report = json.loads((product.root / "reports" / "okrsync.json").read_text(encoding="utf-8"))
    assert report["headline"]["alignment_rate"] is None
    assert "of work in progress" in report["headline"]["withheld"]
    assert report["moves"][0]["why"] == "Not compared: too much work in progress could not be read now."


def test_last_week_is_compared_with_a_run_of_last_week(product: Product) -> None:
    product.sync()
    product.clock.advance(days=7)
    product.sync()
    last, week = moves(product)
    assert (last["since"], week["since"]) == ("last run", "last week")
    assert week["run"] is not None
    assert sum(points(week).values()) == week["points"] or week["points"] is None
    product.clock.advance(days=30)
    product.sync()
    assert moves(product)[1]["run"] is None


def test_a_snapshot_of_another_version_is_said_and_ends_nothing(product: Product) -> None:
    import sqlite3
    import zlib

    product.sync()
    with sqlite3.connect(product.root / "okrsync.db") as database:
        ((run, data),) = database.execute("SELECT run, data FROM snapshots")
        changed = json.loads(zlib.decompress(data)) | {"basis": '{"goals": "of another shape"}'}
        database.execute(
            "UPDATE snapshots SET data = ? WHERE run = ?", (zlib.compress(json.dumps(changed).encode()), run)
        )
    assert product.sync().exit in (0, 3)
    report = json.loads((product.root / "reports" / "okrsync.json").read_text(encoding="utf-8"))
    assert report["moves"][0]["why"] == "Not split by cause: that run was recorded by another version of okrsync."


def test_sync_keeps_a_copy_of_each_week(product: Product) -> None:
    done = product.sync().json
    assert [Path(p).name for p in done["reports"]][-1] == "2026-W47.html"
    product.clock.advance(days=7)
    product.sync()
    folder = product.root / "reports"
    assert {p.name for p in folder.glob("2026-*.html")} == {"2026-W47.html", "2026-W48.html"}
    assert (folder / "2026-W48.html").read_bytes() == (folder / "okrsync.html").read_bytes()
    assert (folder / "2026-W47.html").read_bytes() != (folder / "okrsync.html").read_bytes()
