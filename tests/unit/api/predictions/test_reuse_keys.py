"""Which predictions may have one answer: the key, and who asks for it."""

from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from api.predictions.reuse import answer_key, reuse_of
from registry.manifest import Column, Manifest, Signature
from registry.rows import validation
from registry.versions import Resolved
from tasks.arrow.stream import ArrowRows
from tasks.messages import Reuse

COLUMNS = (Column("a", "any", nullable=True), Column("b", "any", nullable=True))
NAMED = Signature(COLUMNS, named=True, frame=True, methods=("predict", "transform"))
UNNAMED = replace(NAMED, named=False, frame=False)
MANIFEST = Manifest(
    **dict.fromkeys(("format", "estimator", "created_at"), ""),
    parameters={},
    libraries={},
    metadata={},
    trusted=False,
    size=0,
    example=None,
    sha256="0" * 64,
    signature=NAMED,
    name="m",
    version=1,
)
MODEL = Resolved(MANIFEST, None)


def key(features: Any, signature: Signature = NAMED, method: str = "predict") -> str:
    return answer_key(MODEL, method, validation.rows(signature, features), "t")


def test_values_that_a_model_may_tell_apart_have_keys_of_their_own() -> None:
    values = [1, 1.0, True, "1", None, 0, 0.0, -0.0, False, "", "null", "true", 1e300, 2**60]
    assert len({key([[value, 0]]) for value in values}) == len(values)


def test_order_of_named_columns_does_not_matter() -> None:
    assert key({"a": 1, "b": 2}) == key({"b": 2, "a": 1}) == key([1, 2]) == key([[1, 2]])
    assert key({"a": 1, "b": 2}) == key({"a": 1, "b": 2, "ignored": 3})
    assert key({"a": 1, "b": 2}) != key({"a": 2, "b": 1})


def test_order_of_values_and_rows_matters() -> None:
    keys = [key(rows, UNNAMED) for rows in ([[1, 2]], [[2, 1]], [[1, 2], [2, 1]], [[2, 1], [1, 2]])]
    assert len(set(keys)) == len(keys)


def test_missing_value_is_null_however_it_comes() -> None:
    unused = replace(NAMED, columns=(COLUMNS[0], replace(COLUMNS[1], unused=True)))
    assert key([[float("nan"), 1]]) == key([[None, 1]]) != key([["nan", 1]])
    assert key({"a": 1}, unused) == key({"a": 1, "b": None}, unused)
    assert key({"a": 1, "b": 7}, unused) == key({"a": 1}, unused), "no step reads the column"


def test_infinity_is_no_missing_value() -> None:
    rows = [[float("inf"), 0]], [[float("-inf"), 0]], [[None, 0]]
    assert len({answer_key(MODEL, "predict", each, "t") for each in rows}) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"name": "n"},
        {"version": 2},  # whose signature may read the same rows in another way
        {"sha256": "1" * 64},
    ],
)
def test_key_is_of_one_artifact_and_version(other: dict[str, Any]) -> None:
    another = Resolved(replace(MANIFEST, **other), None)
    assert answer_key(another, "predict", [[1, 2]], "t") != answer_key(
        MODEL, "predict", [[1, 2]], "t"
    )


def test_key_is_of_one_method_and_of_any_alias() -> None:
    assert key([1, 2]) != key([1, 2], method="transform")
    aliased = Resolved(MANIFEST, "production")
    assert answer_key(aliased, "predict", [[1, 2]], "t") == key([1, 2])


def test_tenants_share_no_answers() -> None:
    keys = {answer_key(MODEL, "predict", [[1, 2]], tenant) for tenant in ("a", "b", "default")}
    assert len(keys) == 3


def test_arrow_stream_has_a_key_of_its_bytes() -> None:
    one, same, other = (ArrowRows(content, ("a",), 1) for content in (b"x", b"x", b"y"))
    assert answer_key(MODEL, "predict", one, "t") == answer_key(MODEL, "predict", same, "t")
    assert answer_key(MODEL, "predict", one, "t") != answer_key(MODEL, "predict", other, "t")


@pytest.mark.parametrize(
    ("asked", "setting", "seconds"),
    [
        (UNSET, False, None),
        (UNSET, True, 0),
        (UNSET, 60, 60),
        (True, False, 0),
        (5, True, 5),
        (False, 60, None),
        (1, False, 1),
    ],
)
def test_request_says_more_than_the_model(asked: Any, setting: Any, seconds: Any) -> None:
    found = reuse_of(asked, replace(MODEL, cache=setting), "predict", [[1, 2]], "t")
    assert (found and found.seconds) == seconds if seconds else (found is None) == (seconds is None)


def test_version_that_varies_is_always_asked() -> None:
    varying = replace(MODEL, cache=True, varies=True)
    assert reuse_of(True, varying, "predict", [[1, 2]], "t") is None
    assert isinstance(reuse_of(True, MODEL, "predict", [[1, 2]], "t"), Reuse)
