"""A brief that was made before a field was known of is still one."""

from __future__ import annotations

import msgspec
from msgspec import structs
from store_samples import item

from okrsync.store.encoding import BRIEF, brief, glimpse


def test_a_brief_of_before_there_were_remote_links_says_that_there_are_none() -> None:
    made = item(1, okr=("O1",))
    packed = msgspec.msgpack.decode(brief(made))
    assert len(packed) == 1 + len(BRIEF)
    before = glimpse(frozenset(BRIEF))(msgspec.msgpack.encode(packed[:-1]))
    assert (before.okr, before.remote_links) == (("O1",), ())
    linked = structs.replace(made, okr=(), remote_links=("github.com/acme/web#1",))
    assert glimpse(frozenset(("id", "remote_links")))(brief(linked)).remote_links == linked.remote_links
