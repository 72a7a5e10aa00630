"""`bootstrap` proposes rules that, accepted as they are, link what they say."""

from __future__ import annotations

from product import Product


def test_accepted_as_they_are_the_rules_link_what_they_promise(product: Product) -> None:
    for path in (product.root / "mappings").glob("*.yaml"):
        if path.name.startswith("10-") or path.name.startswith("30-"):
            path.unlink()
    product.run("pull")
    before = product.run("findings", "--format", "json").json["summary"]
    told = product.run("bootstrap")
    assert told.exit == 0, told
    assert "link: " in told.out
    assert "team: " in told.out
    promised = product.run("bootstrap", "--format", "json").json
    (product.root / "mappings" / "90-proposed.yaml").write_text(told.out, encoding="utf-8")
    checked = product.run("check")
    assert checked.exit == 0, checked.err
    after = product.run("findings", "--format", "json").json["summary"]
    assert after["linked"] >= promised["linked_then"] > before["linked"] == promised["linked_now"]


def test_nothing_held_proposes_nothing(product: Product) -> None:
    told = product.run("bootstrap")
    assert told.exit == 0, told
    assert "rules: []" in told.out
    assert "okrsync pull" in told.err
