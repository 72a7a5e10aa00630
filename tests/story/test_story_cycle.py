"""The main job, through the command line, against the sandbox: the first cycle and what follows it."""

from __future__ import annotations

import csv
import io

from okrsync.sandbox import Fault
from product import Product


def comments_of_ours(product: Product, item: dict) -> list[dict]:
    bot = product.sandbox.world.bot
    return [c for c in item["comments"] if c["author"] == bot]


def test_the_first_run_is_refused_and_the_approved_one_labels_everything(product: Product) -> None:
    before = product.sandbox.world.snapshot()["items"]
    refused = product.sync()
    assert refused.exit == 3
    assert "share" in refused.json["gate"]["refused"]
    assert product.sandbox.world.snapshot()["items"] == before, "a refused plan writes nothing"

    written = product.sync("--approve", refused.json["plan"]["checksum"])
    assert written.exit == 0, written
    after = product.sandbox.world.snapshot()["items"]
    rows = {r["id"]: r for r in csv.DictReader(io.StringIO(product.run("report", "--format", "csv").out))}
    labelled = {"unlinked": 0, "stale": 0, "linked": 0}
    archived = {f"github:{r.full_name}" for r in product.sandbox.world.github.repos.values() if r.archived}
    for id_, item in after.items():
        ours = sorted(x for x in item["labels"] if x.startswith("okr/"))
        theirs = [x for x in item["labels"] if not x.startswith("okr/")]
        assert theirs == [x for x in before[id_]["labels"] if not x.startswith("okr/")], "people's labels stay"
        assert len(comments_of_ours(product, item)) <= 1, id_
        row = rows.get(id_)
        closed = item["state"] in ("closed", "Done") or id_.partition("#")[0] in archived
        if closed or row is None:
            assert item == before[id_], f"{id_} is closed, archived or out of scope and was touched"
            continue
        alignment = row["alignment"]
        if alignment in ("unlinked", "stale"):
            assert ours == [f"okr/{alignment}"], (id_, ours)
            labelled[alignment] += 1
        elif alignment == "linked":
            objectives = set(row["objectives"].split(";"))
            assert ours, id_
            assert {x.removeprefix("okr/") for x in ours} <= objectives, (id_, ours, objectives)
            labelled["linked"] += 1
        else:
            assert not ours, (id_, alignment, ours)
    assert all(labelled.values()), labelled


def test_children_of_an_unlinked_epic_bear_the_label_and_only_the_epic_the_comment(product: Product) -> None:
    product.run("init", str(product.root))  # harmless: every file is there already
    config = product.root / "config" / "okrsync.yaml"
    assert "backlog" in config.read_text()
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    assert product.first_cycle().exit == 0
    after = product.sandbox.world.snapshot()["items"]
    alignments = product.alignments()
    found = 0
    for issue in product.sandbox.world.jira.issues.values():
        id_ = f"jira:{issue.key}"
        above = product.sandbox.world.jira.issues.get(issue.parent or 0)
        if above is None or alignments.get(id_) != "unlinked" or issue.status == "Done":
            continue
        if alignments.get(f"jira:{above.key}") == "unlinked" and above.status != "Done":
            found += 1
            assert "okr/unlinked" in issue.labels
            assert not comments_of_ours(product, after[id_]), f"{id_} is a child: the comment belongs on {above.key}"
    assert found, "some unlinked epic has children"
    epics = [i for i in product.sandbox.world.jira.issues.values() if i.type == "Epic"]
    commented = [e for e in epics if comments_of_ours(product, after[f"jira:{e.key}"])]
    assert commented, "some unlinked epic bears the comment"


def test_a_sync_without_changes_writes_nothing(product: Product) -> None:
    product.first_cycle()
    product.sync()
    sent = len(product.sandbox.writes)
    again = product.sync()
    assert again.exit == 0, again
    assert len(product.sandbox.writes) == sent
    assert again.json["plan"]["counts"]["items"] == 0


def test_people_win(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    product.first_cycle()
    world = product.sandbox.world
    someone = next(p.login for p in world.people.values() if not p.bot and p.login != world.bot)
    unlinked = [
        i for i, a in product.alignments().items() if a == "unlinked" and "okr/unlinked" in world.find(i).labels
    ]
    jira = next(i for i in unlinked if i.startswith("jira:"))
    github = next(i for i in unlinked if i.startswith("github:"))
    for id_ in (jira, github):
        product.clock.advance(minutes=1)
        world.remove_label(id_, "okr/unlinked", someone)
    for _ in range(3):
        assert product.sync().exit == 0
        assert "okr/unlinked" not in world.find(jira).labels
        assert "okr/unlinked" not in world.find(github).labels

    # the dismissal ends when the alignment changes and changes back
    goal = product.run("findings", "--format", "json").json
    assert goal["summary"]["unlinked"] >= 2
    world.add_label(jira, "objective:O1", someone)
    product.sync()
    assert "okr/O1" in world.find(jira).labels
    world.remove_label(jira, "objective:O1", someone)
    product.sync()
    assert "okr/unlinked" in world.find(jira).labels


def test_two_syncs_from_json_have_the_shape_of_the_contract(product: Product) -> None:
    done = product.first_cycle().json
    assert {"run", "summary", "pulled", "plan", "applied", "reports", "exit"} <= set(done)
    assert {"id", "at", "cycle", "complete", "sources"} <= set(done["run"])
    assert done["run"]["cycle"] == "2026-Q4"
    assert {"name", "complete", "items", "error"} <= set(done["run"]["sources"][0])
    found = product.run("findings", "--format", "json").json
    assert {"run", "summary", "findings"} <= set(found)
    assert {f["code"] for f in found["findings"]} >= {"OKR101", "OKR102", "OKR103", "OKR201"}
    for finding in found["findings"]:
        assert finding["since"], "a recorded run knows since when"
        assert finding["message"]
        assert finding["remedy"]
    plan = product.run("plan", "--format", "json").json
    assert {"checksum", "changes", "held", "counts"} <= set(plan)
    assert product.run("plan", "--detailed-exitcode").exit in (0, 5)


def test_every_alignment_is_explained(product: Product) -> None:
    product.sync()
    seen = {}
    for id_, alignment in product.alignments().items():
        seen.setdefault(alignment, id_)
    assert set(seen) == {"linked", "stale", "exempt", "unlinked", "unknown"}
    for alignment, id_ in seen.items():
        told = product.run("explain", id_)
        assert told.exit == 0
        assert alignment in told.out.casefold()
        data = product.explain(id_)
        assert data["alignment"] == alignment
        if alignment == "linked":
            assert data["path"][-1]["via"] == "supports"
    assert product.run("explain", "jira:NOPE-1").exit == 2


def test_an_answer_that_does_not_show_the_label_is_none(product: Product) -> None:
    """A limit told with status 200, where the label was not set: it is set later, and nobody is said to have taken it
    away."""
    fault = Fault(kind="graphql_limited", source="github", method="POST", path=r"/issues/\d+/labels$", times=2)
    product.sandbox.faults.add(fault)
    product.first_cycle()
    product.sandbox.faults.clear()
    for _ in range(3):
        ran = product.sync()
    assert (ran.exit, ran.json["plan"]["counts"]["items"]) == (0, 0)
    told = product.alignments()
    items = product.sandbox.world.snapshot()["items"]
    lacking = [i for i in told if told[i] == "unlinked" and i.startswith("github:") and items[i]["state"] == "open"]
    assert [i for i in lacking if "okr/unlinked" not in items[i]["labels"]] == []
