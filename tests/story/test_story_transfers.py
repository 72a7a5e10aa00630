"""An issue that goes to another repository gets a new identity there, and brings our comment along."""

from __future__ import annotations

import pytest

from okrsync.sandbox import Fault
from product import Product

HERE, THERE = "acme/sdk-js", "acme/payments-api"  # a public and a private repository


@pytest.fixture
def told(product: Product) -> str:
    """Id of an issue in the public repository that bears our comment on missing links."""
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    product.env["OKRSYNC_WRITEBACK__LIMITS__SHARE"] = "1.0"
    product.sync()
    items = product.sandbox.world.snapshot()["items"]
    return next(
        id_
        for id_, item in items.items()
        if id_.startswith(f"github:{HERE}#") and item["comments"] and not product.sandbox.world.find(id_).pull
    )


def comments(product: Product, id_: str) -> list[str]:
    world = product.sandbox.world
    return [c.body for c in world.find(id_).comments if c.author == world.bot]


def looked(product: Product, since: int, number: int) -> int:
    """How often the comments of one issue were asked for."""
    asked = [r.path.partition("?")[0] for r in product.sandbox.requests[since:] if r.method == "GET"]
    return asked.count(f"/repos/{THERE}/issues/{number}/comments")


def test_the_comment_that_came_along_is_kept_up_to_date(product: Product, told: str) -> None:
    world = product.sandbox.world
    world.add_label(told, "objective:O1", "lin")
    product.sync()
    assert "Resolved: this now traces to `O1`." in comments(product, told)[0]
    moved = f"github:{world.transfer(told, THERE, 'lin')}"
    product.sync()
    (text,) = comments(product, moved)
    assert "`O1` \\(Checkout is the reason merchants stay\\)" in text, "in a private repository goals have titles"
    # back again: what only insiders may know does not stay behind
    back = f"github:{world.transfer(moved, HERE, 'lin')}"
    product.sync()
    (text,) = comments(product, back)
    assert "Resolved: this now traces to `O1`." in text
    product.run("undo", "--yes")
    assert comments(product, back) == []


def test_a_link_made_on_the_way_settles_the_comment(product: Product, told: str) -> None:
    world = product.sandbox.world
    moved = f"github:{world.transfer(told, THERE, 'lin')}"
    world.add_label(moved, "objective:O1", "lin")
    product.sync()
    (text,) = comments(product, moved)
    assert "Resolved" in text


@pytest.mark.usefixtures("told")
def test_a_label_that_a_person_set_is_looked_at_once(product: Product) -> None:
    world = product.sandbox.world
    repo = world.github.repo(THERE)
    assert repo is not None
    made = world.github.add_item(repo, "Tied by hand", author="lin", labels=["objective:O1", "okr/O1"])
    looks = []
    for title in ("Tied by hand", "Tied by hand, once more"):
        world.edit_title(f"github:{world.github.name(made)}", title, "lin")
        since = len(product.sandbox.requests)
        product.sync()
        looks.append(looked(product, since, made.number))
    assert looks == [1, 0]
    product.run("undo", "--yes")
    assert "okr/O1" in made.labels


def test_a_look_that_fails_is_made_by_the_next_run(product: Product, told: str) -> None:
    world = product.sandbox.world
    world.add_label(told, "objective:O1", "lin")
    product.sync()
    moved = f"github:{world.transfer(told, THERE, 'lin')}"
    product.sandbox.faults.add(Fault(kind="status", status=500, source="github", path=f"{THERE}/issues/.*/comments"))
    assert "Traceback" not in product.sync().err
    product.sandbox.faults.clear()
    product.sync()
    assert "Checkout is the reason" in comments(product, moved)[0]


def test_comments_that_are_not_shown_are_no_reason_for_a_second_one(product: Product, told: str) -> None:
    world = product.sandbox.world
    moved = f"github:{world.transfer(told, THERE, 'lin')}"
    product.sandbox.faults.add(Fault(kind="empty", source="github", path=f"{THERE}/issues/.*/comments"))
    product.sync()
    product.sandbox.faults.clear()
    assert len(comments(product, moved)) == 1
    world.add_label(moved, "objective:O1", "lin")
    product.sync()
    (text,) = comments(product, moved)
    assert "Resolved" in text
