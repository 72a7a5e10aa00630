"""A repository that gets another name, and hides its items at the same time."""

from __future__ import annotations

from okrsync.sandbox import Fault
from product import Product


def test_a_renamed_repository_that_shows_nothing_loses_nothing(product: Product) -> None:
    product.first_cycle()
    before = {id_ for id_ in product.alignments() if id_.startswith("github:acme/sdk-js#")}
    assert before
    product.sandbox.world.rename_repo("acme/sdk-js", "acme/sdk-node", "lin")
    hidden = Fault(kind="empty", source="github", path="acme/sdk-(js|node)/issues")
    product.sandbox.faults.add(hidden)
    ran = product.sync()
    assert hidden.hits
    told = next(s for s in ran.json["run"]["sources"] if s["name"] == "github")
    assert "acme/sdk-node" in told["error"]
    assert before <= product.alignments().keys()
    product.sandbox.faults.clear()
    product.sync()
    now = {id_ for id_ in product.alignments() if id_.startswith("github:acme/sdk-")}
    assert now == {id_.replace("sdk-js", "sdk-node") for id_ in before}
