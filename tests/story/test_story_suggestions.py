"""Suggestions through the command line: in the comment, in the reports, and never acted on."""

from __future__ import annotations

import json
from typing import Any

from product import Product

ITEM, PUBLIC = "jira:PAY-53", "github:acme/sdk-js#1"


def comment(product: Product, id_: str) -> dict[str, Any]:
    ours = product.sandbox.world.bot
    (found,) = [c for c in product.sandbox.world.snapshot()["items"][id_]["comments"] if c["author"] == ours]
    return dict(found)


def test_the_comment_names_likely_initiatives_and_stays_when_the_neighbourhood_changes(product: Product) -> None:
    product.env["OKRSYNC_WRITEBACK__COMMENTS__BACKLOG"] = "true"
    assert product.first_cycle().exit == 0
    before = comment(product, ITEM)
    guessed = product.explain(ITEM)["suggestions"]
    assert guessed[0]["initiative"] == "INIT-CHECKOUT"
    assert f"INIT-CHECKOUT (One-page checkout): {guessed[0]['why']}" in before["body"]
    public = comment(product, PUBLIC)["body"]
    assert "`INIT-CHECKOUT`" in public
    assert "One-page" not in public
    assert "shares" not in public

    world = product.sandbox.world
    for number in range(6):
        title = f"Tell why a card is declined, case {number}"
        world.jira.add_issue("PAY", title, labels=["initiative:INIT-WALLETS"], reporter="lin")
    counts = product.sync().json["plan"]["counts"]
    assert product.explain(ITEM)["suggestions"][0]["initiative"] == "INIT-WALLETS", "the neighbourhood has changed"
    assert counts["update_comment"] == 0
    assert comment(product, ITEM) == before
    assert product.explain(ITEM)["alignment"] == "unlinked", "a guess links nothing"


def test_the_reports_show_them_beside_the_roots(product: Product) -> None:
    product.sync()
    report = json.loads(product.run("report", "--format", "json").out)
    told = {one["id"]: one["suggestions"] for team in report["unlinked"] for one in team["suggestions"]}
    assert told[ITEM] == product.explain(ITEM)["suggestions"]
    assert "perhaps INIT-CHECKOUT: shares" in product.run("report", "--format", "md").out
    assert "perhaps INIT-CHECKOUT: shares" in product.run("report", "--format", "html").out
