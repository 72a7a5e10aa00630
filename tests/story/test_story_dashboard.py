"""The dashboard issue through the command line, on both trackers: kept up to date, never work, never forced on people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from okrsync.sandbox.faults import Fault
from product import Product, StoryClock, story

COVERED = ["github:acme/web", "jira:OPS"]
ELSEWHERE = "github:acme/strategy"


class Boards:
    """The product with a dashboard, and what stands in its place."""

    def __init__(self, folder: Path, place: str, sandbox: Any, clock: StoryClock) -> None:
        self.place = place
        self.world = sandbox.world
        self.product = Product(folder, sandbox, clock, overrides={"writeback": {"enabled": True, "dashboard": place}})

    @property
    def all(self) -> list[Any]:
        """The dashboard issues that there are, as the sandbox holds them."""
        jira = [i for i in self.world.jira.issues.values() if "okrsync-dashboard" in i.labels]
        repos = self.world.github.repos.values()
        return jira + [i for r in repos for i in r.items.values() if "okrsync-dashboard" in (i.body or "")]

    @property
    def one(self) -> Any:
        (found,) = self.all
        return found

    @property
    def id(self) -> str:
        return f"jira:{self.one.key}" if self.place.startswith("jira") else f"{self.place}#{self.one.number}"

    def close(self, *, opened: bool = False) -> None:
        if self.place.startswith("jira"):
            self.world.jira.set_status(self.one, "To Do" if opened else "Done")
        else:
            self.world.github.set_state(self.one, "open" if opened else "closed")

    def delete(self) -> None:
        (self.world.jira if self.place.startswith("jira") else self.world.github).delete(self.one)

    def say_less(self) -> None:
        """So that the dashboard has something else to say."""
        self.set("ignore: []", "ignore: [OKR201]")

    def set(self, old: str, new: str) -> None:
        settings = self.product.root / "config" / "okrsync.yaml"
        text = settings.read_text("utf-8")
        assert old in text
        settings.write_text(text.replace(old, new), "utf-8")

    def counts(self, *args: str) -> dict[str, int]:
        return self.product.sync(*args).json["plan"]["counts"]


@pytest.fixture(params=COVERED)
def boards(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    clock, sandbox = story()
    with sandbox:
        yield Boards(tmp_path / "workspace", request.param, sandbox, clock)


def test_it_says_what_is_held_back_then_no_more_and_is_then_left_alone(boards: Boards) -> None:
    refused = boards.product.sync()
    assert refused.exit == 3
    assert refused.json["applied"]["done"] == 1
    checksum = refused.json["plan"]["checksum"]
    assert f"okrsync approve {checksum}" in boards.one.body
    assert "O4.KR2" in boards.one.body

    written = boards.product.sync("--approve", checksum)
    assert written.exit == 0, written
    assert "approve" not in boards.one.body
    before = boards.world.snapshot()
    again = boards.product.sync()
    assert again.json["plan"]["counts"]["items"] == again.json["plan"]["counts"]["update_issue"] == 0
    assert boards.world.snapshot() == before


def test_it_is_never_work(boards: Boards) -> None:
    product = boards.product
    product.env["OKRSYNC_WRITEBACK__ENABLED"] = "false"
    without = product.sync().json["summary"]
    product.env["OKRSYNC_WRITEBACK__ENABLED"] = "true"
    product.first_cycle()
    product.sync("--full")
    assert product.sync().json["summary"] == without
    assert boards.id not in product.alignments()
    assert boards.id not in {f["subject"]["id"] for f in product.run("findings", "--format", "json").json["findings"]}
    labels = [x for x in boards.one.labels if x != "okrsync-dashboard"]
    assert labels == []
    assert boards.one.comments == []


def test_closed_it_is_left_alone_and_that_is_said_and_reopened_it_goes_on(boards: Boards) -> None:
    boards.product.first_cycle()
    boards.close()
    text = boards.one.body
    boards.say_less()
    assert boards.counts()["update_issue"] == 0
    assert "closed the issue" in boards.product.run("plan").out
    assert boards.one.body == text
    boards.close(opened=True)
    boards.counts()
    assert "no support" not in boards.one.body


def test_deleted_it_does_not_come_back_until_the_setting_changes(boards: Boards) -> None:
    product = boards.product
    product.first_cycle()
    boards.delete()
    boards.say_less()
    for _ in range(2):
        assert product.sync().exit == 0
    assert boards.all == []
    assert "deleted the issue" in product.run("plan").out

    boards.set(f"dashboard: {boards.place}", "dashboard: null")
    product.sync()
    boards.set("dashboard: null", f"dashboard: {boards.place}")
    product.sync()
    assert len(boards.all) == 1


def test_undo_takes_its_text_and_a_later_run_writes_the_same_issue_again(boards: Boards) -> None:
    boards.product.first_cycle()
    ref = boards.id
    undone = boards.product.run("undo", "--yes")
    assert undone.exit == 0, undone
    assert "It can be closed." in boards.one.body
    assert "O4.KR2" not in boards.one.body
    boards.product.sync()
    assert "O4.KR2" in boards.one.body
    assert boards.id == ref


def test_with_the_database_lost_it_is_found_again_and_is_still_no_work(boards: Boards) -> None:
    product = boards.product
    product.first_cycle()
    summary = product.sync().json["summary"]
    ref = boards.id
    for file in product.root.glob("okrsync.db*"):
        file.unlink()
    assert product.sync().json["summary"] == summary
    assert boards.id == ref


def test_a_place_that_is_not_covered(tmp_path: Path) -> None:
    clock, sandbox = story()
    sandbox.world.github.add_repo("acme/strategy", private=False)
    with sandbox:
        boards = Boards(tmp_path / "workspace", ELSEWHERE, sandbox, clock)
        boards.product.first_cycle()
        assert "O4.KR2" in boards.one.body
        assert "Nordics" not in boards.one.body, "strangers read goals by id alone"
        assert boards.id not in boards.product.alignments()


def test_a_read_only_connector_gets_none(tmp_path: Path) -> None:
    clock, sandbox = story()
    with sandbox:
        boards = Boards(tmp_path / "workspace", "github:acme/web", sandbox, clock)
        file = boards.product.root / "connectors" / "github.yaml"
        file.write_text(file.read_text("utf-8").replace("write: true", "write: false"), "utf-8")
        boards.product.sync()
        assert boards.all == []
        assert "`write` is false" in boards.product.run("plan").out


def test_nothing_is_claimed_while_a_source_cannot_be_read(boards: Boards) -> None:
    boards.product.first_cycle()
    text = boards.one.body
    boards.say_less()
    other = "github" if boards.place.startswith("jira") else "jira"
    boards.product.sandbox.faults.add(Fault(kind="status", source=other, path="", status=500))
    boards.product.sync()
    assert boards.one.body == text
    boards.product.sandbox.faults.clear()
    boards.product.sync()
    assert boards.one.body != text


def test_a_lost_answer_to_its_creation_makes_no_second_one(boards: Boards) -> None:
    source, path = ("jira", "/issue$") if boards.place.startswith("jira") else ("github", "/issues$")
    boards.product.sandbox.faults.add(Fault(kind="drop_after", source=source, path=path, method="POST", times=1))
    boards.product.sync()
    boards.product.sync()
    assert "O4.KR2" in boards.one.body
    assert boards.id not in boards.product.alignments()


def test_a_place_that_does_not_exist_is_told(tmp_path: Path) -> None:
    clock, sandbox = story()
    with sandbox:
        boards = Boards(tmp_path / "workspace", "github:acme/nowhere", sandbox, clock)
        ran = boards.product.sync()
        assert ran.exit == 3
        assert "writeback.dashboard" in ran.json["applied"]["failed"][0]["why"]
