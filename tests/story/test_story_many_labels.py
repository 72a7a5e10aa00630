"""Labels on many issues by the command line: few requests, no mail, and a kill in the middle that harms nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from okrsync.sandbox import STORY_NOW
from okrsync.sandbox.faults import Fault
from product import Product, story

MANY = 1200
SETTINGS = {
    "writeback": {"enabled": True, "comments": {"rules": []}, "limits": {"changes": 5000, "share": 1.0}},
    "reports": {"formats": ["json"]},
}


@pytest.fixture
def many() -> int:
    return MANY


@pytest.fixture
def product(tmp_path: Path, many: int) -> Iterator[Product]:
    """The example company, and a backlog: half of it names an objective."""
    clock, sandbox = story()
    jira = sandbox.world.jira
    for n in range(many):
        labels = ["objective:O1"] if n % 2 else []
        jira.add_issue("PAY", f"Backlog {n}", labels=labels, created=STORY_NOW - timedelta(days=30, minutes=n))
    with sandbox:
        yield Product(tmp_path / "workspace", sandbox, clock, overrides=SETTINGS)


def backlog(product: Product) -> Counter[tuple[str, ...]]:
    """How many of the backlog bear which labels of ours."""
    issues = (i for i in product.sandbox.world.jira.issues.values() if i.title.startswith("Backlog"))
    return Counter(tuple(label for label in issue.labels if label.startswith("okr/")) for issue in issues)


def requests(product: Product) -> Counter[str]:
    kinds = {"/bulk/issues/fields": "submit", "/bulk/queue/": "ask", "/issue/bulkfetch": "read"}
    found: Counter[str] = Counter()
    for seen in product.sandbox.requests:
        if seen.source == "jira":
            name = next((kind for part, kind in kinds.items() if part in seen.path), "")
            found[name or ("single" if seen.method == "PUT" else "other")] += 1
    return found


DONE = {("okr/O1",): MANY // 2, ("okr/unlinked",): MANY // 2}
FEW = 40


def test_a_first_labelling_takes_a_few_bulk_edits(product: Product) -> None:
    assert product.sync("--full").exit == 0
    assert backlog(product) == DONE
    first = requests(product)
    # for each of the company's few labels one; what only one or two issues get goes alone
    assert first["submit"] <= 8
    assert first["ask"] <= 10
    assert first["single"] <= 8
    assert product.sandbox.world.jira.mails == []
    product.sandbox.forget()
    again = product.sync()
    assert again.exit == 0
    assert sum(again.json["plan"]["counts"].values()) == again.json["plan"]["counts"]["held"]
    assert requests(product)["submit"] == requests(product)["single"] == 0


@pytest.mark.parametrize("many", [FEW])
def test_without_the_permission_labels_go_one_by_one(product: Product) -> None:
    product.sandbox.world.jira.bulk = False
    ran = product.sync()
    assert ran.exit == 0
    assert backlog(product) == {("okr/O1",): FEW // 2, ("okr/unlinked",): FEW // 2}
    assert requests(product)["submit"] == 1
    assert ran.err.count("Make bulk changes") == 1


def test_what_is_left_of_a_broken_bulk_edit_is_made_by_the_next_run(product: Product) -> None:
    product.sandbox.world.jira.bulk_fails = {"PAY-100"}
    product.sandbox.world.jira.bulk_pace = timedelta(milliseconds=50)
    fault = product.sandbox.faults.add(Fault(kind="status", source="jira", path="/bulk/queue/", status=503))
    broken = product.sync()
    assert broken.exit == 3
    product.sandbox.faults.clear()
    assert fault.hits
    product.sandbox.forget()
    mended = product.sync()
    assert mended.exit == 0, mended.err
    assert backlog(product) == DONE
    # a look at each issue of unknown outcome would be hundreds
    assert requests(product).total() < 60
    assert product.sync().json["plan"]["counts"]["add_label"] == 0


@pytest.mark.parametrize("many", [0])
def test_what_the_hour_does_not_hold_is_pending_by_number(product: Product) -> None:
    connector = product.root / "connectors" / "github.yaml"
    connector.write_text(connector.read_text("utf-8").replace("writes_per_hour: 450", "writes_per_hour: 5"), "utf-8")
    first = product.sync()
    said = first.json["applied"]
    pending = said["pending"]
    assert pending > 5
    assert (first.exit, said["failed"], said["waiting"]) == (0, [], 0)
    assert [(p["connector"], p["changes"]) for p in said["postponed"]] == [("github", pending)]
    assert "5 an hour" in said["postponed"][0]["why"]
    # a quarter of an hour later the hour is still full, and everything else goes on
    second = product.sync()
    assert second.exit == 0
    assert second.json["applied"]["pending"] == pending
    product.clock.advance(hours=1)
    third = product.sync().json["applied"]
    assert (third["done"], third["pending"]) == (5, pending - 5)
    told = product.run("sync")
    assert f"{pending - 5} changes left to the next runs" in told.out
