"""A plan as text, Markdown and JSON."""

from __future__ import annotations

from fake_world import NOW, days, findings_of, item, settings, stored, unlinked, view
from okrsync.domain.changes import Plan
from okrsync.planning import Inputs, plan, render_markdown, render_text

EVIL = "okr/\x1b[31m`x"


def made() -> Plan:
    works = [item(1), item(2, locked=True, labels=("okr/O2", EVIL))]
    seen = view([stored(w) for w in works], [unlinked(w.id) for w in works])
    defined = {"github:acme/web": frozenset({"okr/O2"})}
    inputs = Inputs(settings=settings(), writable=lambda _: True, container_labels=defined, enabled_at=NOW - days(99))
    return plan(seen, findings_of(seen), inputs)


def test_text():
    result = made()
    assert render_text(result) == (
        f"Plan {result.checksum}: 5 changes on 2 items (1 x define label, 1 x remove label, 2 x add label, 1 x comment)\n"
        "\ngithub:acme/web\n"
        "  + define label okr/unlinked  (OKR101)\n"
        "\ngithub:acme/web#2\n"
        "  - label okr/O2  (OKR101)\n"
        "  + label okr/unlinked  (OKR101)\n"
        "\ngithub:acme/web#1\n"
        "  + label okr/unlinked  (OKR101)\n"
        "  + comment This work is not tied to a goal yet. okrsync looked at its labels and description and found no "
        "objective, key result or initiative.  (OKR101)\n"
        "\nHeld:\n"
        "  1 x comment: the conversation is locked\n"
        "\nUnder the prefix, but not written by okrsync; left alone:\n"
        "  github:acme/web#2 okr/?[31m`x\n"
    )


def test_markdown_holds_nothing_of_a_strangers_markup():
    text = render_markdown(made())
    assert "- `github:acme/web#2`\n  - remove label `okr/O2` (`OKR101`)" in text
    assert "`okr/?[31m'x`" in text
    assert "\x1b" not in text


def test_an_empty_plan():
    seen = view([], [])
    empty = plan(seen, [], Inputs(settings=settings(), writable=lambda _: True))
    assert render_text(empty) == f"Plan {empty.checksum}: nothing to change\n"
    assert render_markdown(empty) == f"**Plan {empty.checksum}: nothing to change**\n"


def test_json_and_counts():
    result = made()
    shape = result.json()
    assert list(shape) == ["checksum", "changes", "held", "foreign", "counts"]
    assert shape["counts"] == {
        "create_label": 1,
        "remove_label": 1,
        "add_label": 2,
        "create_comment": 1,
        "update_comment": 0,
        "create_issue": 0,
        "update_issue": 0,
        "held": 1,
        "items": 2,
    }
