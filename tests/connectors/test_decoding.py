"""What servers send that is no good JSON, or that no database takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct, ValidationError

from okrsync.connectors.decoding import decode
from okrsync.domain.text import all_clean


class Titled(Struct):
    title: str
    number: float | None = None


class Wrapped(Struct):
    fields: Raw


@pytest.mark.parametrize(
    ("sent", "title"),
    [
        (rb'"a\u0000b"', "ab"),
        (rb'"\u0000"', ""),
        (rb'"a\ud800b"', "ab"),
        (rb'"\u0000\ud83c\udfaf"', "\N{DIRECT HIT}"),
        (rb'"a\\u0000b"', r"a\u0000b"),  # a backslash and five letters
    ],
)
def test_what_cannot_be_stored_is_taken_out_of_texts(sent: bytes, title: str) -> None:
    assert decode(b'{"title": %b}' % sent, Titled).title == title
    whole = decode(b'{"fields": {"title": %b}}' % sent, Wrapped)
    assert decode(whole.fields, Titled).title == title


def test_nan_is_null() -> None:
    assert decode(b'{"title": "x", "number": NaN}', Titled) == Titled("x")


def test_a_wrong_shape_is_told() -> None:
    with pytest.raises(ValidationError):
        decode(rb'{"title": ["\u0000"]}', Titled)


# NULs among them
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_everything_else_comes_through_as_it_is(value: Any) -> None:
    assert decode(json.dumps(value).encode(), Any) == all_clean(value)
