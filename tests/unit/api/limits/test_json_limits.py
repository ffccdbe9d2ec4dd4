"""The lists and objects of a body are bounded before it is parsed."""

import json
import tracemalloc
from contextlib import suppress

import pytest

from api.limits.json_limits import (
    CONTAINERS_PER_ROW,
    MAX_VALUES,
    OUTER_CONTAINERS,
    refuse_many_containers,
    refuse_many_values,
)
from api.predictions.submission import parse_submission
from telemetry.errors import Malformed, TooLarge

ROWS = 10_000
SIZE = 2 * 2**20
HEAD = b'{"model": "iris", "features": ['


def filled(piece: bytes, size: int = SIZE) -> bytes:
    """A body of about this size that repeats one piece."""
    return HEAD + b",".join([piece] * (size // (len(piece) + 1))) + b"]}"


@pytest.mark.parametrize("piece", [b"{}", b"[]", b'{"a":1}', b"[1]", b"[NaN]", b"[[[]]]"])
def test_json_limits_refuse_many_rows_with_little_memory(piece: bytes) -> None:
    """Parsed, it would take up to 26 times its bytes."""
    body = filled(piece)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge, match="at most 10000 rows"):
            parse_submission(body, ROWS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * len(body)


@pytest.mark.parametrize("bad", [b"[" * 100_000, b'{"a":' * 100_000, HEAD + b"[" * 100_000])
def test_json_limits_refuse_deep_nesting(bad: bytes) -> None:
    with pytest.raises(Malformed):
        refuse_many_containers(bad, ROWS)


def test_containers_that_rows_need_are_taken() -> None:
    rows = json.dumps({"model": "m", "features": [{"a": 1, "b": {"c": [{}]}}] * 5}).encode()
    refuse_many_containers(rows, 5)
    refuse_many_containers(b"[" * CONTAINERS_PER_ROW * (5 + OUTER_CONTAINERS), 5)
    with pytest.raises(TooLarge):
        refuse_many_containers(b"[] " * (CONTAINERS_PER_ROW * (5 + OUTER_CONTAINERS) + 1), 5)


def test_brackets_within_texts_are_texts() -> None:
    texts = ["[[{{" * 10, '"[{', "\\\\", '\\\\"[[', "{" * 1000]
    refuse_many_containers(json.dumps({"model": "m", "features": texts}).encode(), 3)
    brackets = json.dumps({"model": "m", "features": [*texts, [], []]}).encode()
    refuse_many_containers(brackets + b"[" * (CONTAINERS_PER_ROW * (3 + OUTER_CONTAINERS) - 4), 3)
    with pytest.raises(TooLarge):
        refuse_many_containers(
            brackets + b"[" * (CONTAINERS_PER_ROW * (3 + OUTER_CONTAINERS) - 3), 3
        )


@pytest.mark.parametrize(
    "piece", [b'"["', b'["[", 1]', b'[["[[", 1]]', b'"\\"["', b'"', b"\\[", b'"a","[[{", "b"']
)
def test_counting_takes_little_memory_for_any_strings(piece: bytes) -> None:
    body = filled(piece)
    tracemalloc.start()
    try:
        with suppress(TooLarge, Malformed):
            refuse_many_containers(body, ROWS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * len(body)


@pytest.mark.parametrize(
    "value",
    [b"1", b'""', pytest.param(b'"a,b"', marks=pytest.mark.unmeasured), b"NaN", b"true"],
)
def test_json_limits_refuse_many_values(value: bytes) -> None:
    refuse_many_values(HEAD + b",".join([value] * (MAX_VALUES - 1)) + b"]}")
    with pytest.raises(TooLarge, match="at most 2097152 values"):
        parse_submission(HEAD + b",".join([value] * (MAX_VALUES + 1)) + b"]}", ROWS)


def test_commas_within_texts_are_texts() -> None:
    refuse_many_values(HEAD + b'"' + b"," * (MAX_VALUES + 1) + b'"]}')
