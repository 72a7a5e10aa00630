"""What a pull request closes may lie where okrsync is not let in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from okrsync.sandbox import STORY_NOW, Fault
from product import Product, story


def test_a_pull_request_that_closes_what_is_hidden_is_unknown_not_unlinked(product: Product) -> None:
    state = product.sandbox.world.github
    secret = state.add_item(state.add_repo("acme/secret-plans", visible=False), "a plan")
    web = state.repo("acme/web")
    assert web is not None
    pull = state.add_item(web, "Implement the plan", pull=True, branch="plan", closes=[secret.node_id])
    alone = state.add_item(web, "Implement something", pull=True, branch="something")
    product.sync()
    told = product.alignments()
    assert told[f"github:acme/web#{pull.number}"] == "unknown"
    assert told[f"github:acme/web#{alone.number}"] == "unlinked"
    why = product.run("explain", f"github:acme/web#{pull.number}").out
    assert "may not be read" in why
    product.clock.advance(hours=20)
    product.sandbox.world.edit_title(f"acme/web#{alone.number}", "Implement something else", "lin")
    product.sync()
    state.repos[secret.repo].visible = True
    secret.labels.append("objective:O1")
    state.define_label(state.repos[secret.repo], "objective:O1")
    # the pull request itself has not changed
    product.clock.advance(days=1)
    product.sync()
    assert product.alignments()[f"github:acme/web#{pull.number}"] == "linked"


def test_work_that_answers_404_while_it_is_written_to_is_not_lost(product: Product) -> None:
    """A repository that is taken from us, and given back, meanwhile."""
    product.env["OKRSYNC_WRITEBACK__LIMITS__SHARE"] = "1.0"
    product.run("pull")
    product.run("plan")
    held = product.alignments()
    product.sandbox.faults.add(Fault(kind="status", status=404, source="github", path="acme/web/issues/"))
    product.run("apply")
    assert any(seen.path.startswith("/repos/acme/web/issues/") for seen in product.sandbox.requests)
    product.sandbox.faults.clear()
    product.clock.advance(days=2)
    product.sync()
    assert product.alignments().keys() == held.keys()


@pytest.fixture(params=["Cloud", "Data Center"])
def uncleared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Product]:
    """Of a Jira whose restricted tickets the account may not see."""
    clock, sandbox = story()
    sandbox.world.jira.cloud, sandbox.world.jira.clearance = request.param == "Cloud", False
    with sandbox:
        product = Product(tmp_path / "workspace", sandbox, clock)
        path = product.root / "connectors" / "jira.yaml"
        if request.param == "Data Center":
            path.write_text("".join(x for x in path.read_text().splitlines(True) if not x.startswith("email:")))
        yield product


def test_issues_that_a_right_granted_later_shows_are_read(uncleared: Product) -> None:
    jira = uncleared.sandbox.world.jira
    long_ago = STORY_NOW - timedelta(days=9)
    issue = jira.add_issue("PAY", "Buy the moon", security="Top", created=long_ago, updated=long_ago)
    secret = f"jira:{issue.key}"
    uncleared.sync()
    jira.clearance = True
    for hours in (1, 25, 25):
        uncleared.clock.advance(hours=hours)
        uncleared.sync()
        assert secret not in uncleared.alignments()
    uncleared.sync()
    assert uncleared.alignments()[secret] == "unlinked"
    asked = []
    for hours in (1, 25, 25, 1):  # what is held is not read from its beginning again
        uncleared.clock.advance(hours=hours)
        before = len(uncleared.sandbox.requests)
        uncleared.sync()
        asked.append(sum(r.source == "jira" for r in uncleared.sandbox.requests[before:]))
    assert asked[0] == asked[3] < asked[1] == asked[2], asked
