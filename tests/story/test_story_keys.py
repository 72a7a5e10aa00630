"""Keys of renamed projects and keys with a typing error, from the pull request to `explain` and `findings`."""

from __future__ import annotations

import re

from product import Product


def pull_request(product: Product, title: str) -> str:
    github = product.sandbox.world.github
    repo = github.repo("acme/web")
    assert repo is not None
    return f"github:acme/web#{github.add_item(repo, title, pull=True).number}"


def alias(product: Product, aliases: str) -> None:
    path = product.root / "connectors" / "jira.yaml"
    text, count = re.subn(r"^aliases: [^#\n]*", f"aliases: {aliases}  ", path.read_text("utf-8"), flags=re.MULTILINE)
    assert count == 1
    path.write_text(text, "utf-8")


def test_a_declared_alias_links_and_a_typing_error_is_only_told(product: Product) -> None:
    old, slip = pull_request(product, "KASSE-1: faster"), pull_request(product, "PYA-1x is odd, wbe-3")
    near = pull_request(product, "web 12: a blank for the hyphen")
    assert product.run("pull").exit == 0
    assert product.explain(old)["leads_to"] == []
    assert product.explain(slip)["near_keys"] == []

    alias(product, "{KASSE: PAY}")
    assert product.run("pull").exit == 0
    to = product.explain(old)["leads_to"] or product.explain(old)["path"]
    assert to[0]["to"] == "jira:PAY-1"
    assert to[0]["detail"] == "title: KASSE-1"

    assert product.explain(near)["near_keys"] == [{"written": "web 12", "meant": "jira:WEB-12", "where": "title"}]
    assert "`web 12` in its title means jira:WEB-12" in product.run("explain", near).out
    found = product.run("findings", "--format", "json").json["findings"]
    (unlinked,) = (f for f in found if f["code"] == "OKR101" and f["subject"]["id"] == near)
    assert unlinked["evidence"]["near_keys"][0]["meant"] == "jira:WEB-12"
    assert unlinked["remedy"].startswith("If jira:WEB-12 is meant by 'web 12' in the title, write the key there")
