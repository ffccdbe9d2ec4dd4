"""What a request holds becomes a struct, or an error that says where."""

from typing import Any

import msgspec
import pytest

from api.http.conversion import converted
from telemetry.errors import Invalid


class Part(msgspec.Struct):
    """A nested struct."""

    size: int = 0


class Whole(msgspec.Struct, forbid_unknown_fields=True):
    """A struct of a request."""

    parts: list[Part] = []
    shares: dict[int, int] = {}


@pytest.mark.parametrize(
    ("given", "location"),
    [
        ({"parts": 1}, ("parts",)),
        ({"parts": [{"size": "x"}]}, ("parts", 0, "size")),
        ({"shares": {"1": "x"}}, ("shares",)),
        ({"shares": {"x": 1}}, ("shares",)),
        ({"others": 1}, ()),
        ([], ()),
    ],
    ids=["field", "nested", "value", "key", "unknown", "whole"],
)
def test_converted_says_where_the_error_is(given: Any, location: tuple[str | int, ...]) -> None:
    with pytest.raises(Invalid) as raised:
        converted(given, Whole)
    (detail,) = raised.value.errors
    assert detail.loc == location
    assert detail.msg == raised.value.message
    assert " - at " not in detail.msg


def test_converted_takes_texts_where_it_is_not_strict() -> None:
    assert converted({"size": "7"}, Part, strict=False) == Part(7)
    with pytest.raises(Invalid):
        converted({"size": "7"}, Part)
