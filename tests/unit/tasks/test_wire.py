"""JSON in and out."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.wire import decode, encode
from telemetry.errors import Malformed

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


class Holding(msgspec.Struct):
    value: object
    other: object = None


def test_infinity_in_a_struct_is_not_null() -> None:
    """The hash of an idempotency key tells a request with an infinity from one without."""
    assert encode(Holding([[math.inf]])) == b'{"value": [[Infinity]], "other": null}'
    assert encode(Holding([[None]])) == b'{"value":[[null]],"other":null}'


@given(VALUES)
def test_encoding_round_trip_includes_infinities(value) -> None:
    assert decode(encode(value)) == value


def test_python_s_nan_and_infinity_are_decoded() -> None:
    value = decode(b'{"a": [NaN, Infinity, -Infinity]}')

    assert math.isnan(value["a"][0])
    assert value["a"][1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b"[1,]",
        b"\xff\xfe",
        b"{'a': 1}",
        b"[" * 100_000,
        b"nul",
        b'{"a" 1}',
        rb'["\ud800"]',
        rb'{"\udfff": 1}',
    ],
)
def test_invalid_json_is_malformed_and_says_why(body) -> None:
    with pytest.raises(Malformed) as raised:
        decode(body)

    assert "the body" in raised.value.message
