"""Validates features against a signature before a prediction is queued; fast if they are valid."""

import math
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from registry.manifest import Column, Signature
from registry.rows import diagnosis
from registry.rows.values import NUMBERS, PARSED, accepted_types, fault, is_missing
from telemetry.errors import InvalidFeatures

Row = list[Any]


class _Plan(msgspec.Struct, frozen=True):
    """A signature, prepared for the fast check."""

    columns: tuple[Column, ...]
    names: tuple[str, ...] | None
    """Column names; None if rows cannot be objects."""
    required: tuple[str, ...]
    """Names that each object must have."""
    takes: tuple[frozenset[type], ...]
    """Python types of the values of each column."""
    uniform: bool
    """Whether all columns take the same values, so that they can be checked together."""


def rows(signature: Signature, features: Any) -> list[Row]:
    """The rows as lists in column order, from any accepted shape.

    ``features`` is a row as a list or an object, or a list of such rows; for a model with one
    column, also a list of values. Unknown keys are ignored. Missing values and values of unused
    columns become None. Raises `InvalidFeatures` with at most `diagnosis.MAX_DETAILS` details.
    """
    plan = _plan(signature)
    ordered = _in_order(plan, features)
    if ordered is not None and _plainly_right(plan, ordered):
        return ordered
    # The fast check only finds values that need a closer check. They may be right, such as an
    # infinity in a column that takes one.
    diagnosis.diagnose(signature, features)
    if ordered is None:  # a subclass of list or dict, which no JSON parser makes
        raise InvalidFeatures(f"features must be {diagnosis.shapes(signature)}")
    return [_cleaned(plan, row) for row in ordered]


def count(signature: Signature, features: Any) -> int:
    """The number of rows, without validating them."""
    if not isinstance(features, list) or not features:
        return 1
    return len(features) if _holds_rows(len(signature.columns), features) else 1


def are_valid(signature: Signature, ordered: list[Row]) -> bool:
    """Whether all rows, in column order, pass the fast check."""
    return _plainly_right(_plan(signature), ordered)


@lru_cache(maxsize=4096)
def _plan(signature: Signature) -> _Plan:
    columns = signature.columns
    kinds = {(c.type, c.nullable, c.infinite, c.dtype, c.unused, c.categories) for c in columns}
    return _Plan(
        columns,
        tuple(column.name for column in columns) if signature.named else None,
        tuple(column.name for column in columns if not column.unused),
        tuple(map(accepted_types, columns)),
        len(kinds) == 1,
    )


def _in_order(plan: _Plan, features: Any) -> list[Row] | None:
    """The rows in column order; None if the shape is not accepted."""
    if type(features) is dict:
        return _from_objects(plan, [features])
    if type(features) is not list or not features:
        return None
    if type(features[0]) is dict:
        return _from_objects(plan, features)
    return _from_lists(features, len(plan.columns))


def _from_lists(features: list[Any], width: int) -> list[Row] | None:
    if type(features[0]) is list:
        ordered = features
    else:
        ordered = [[value] for value in features] if width == 1 else [features]
    are_valid = set(map(type, ordered)) == {list} and set(map(len, ordered)) == {width}
    return ordered if are_valid else None


def _holds_rows(width: int, features: list[Any]) -> bool:
    return isinstance(features[0], list | dict) or width == 1


def _from_objects(plan: _Plan, objects: list[Any]) -> list[Row] | None:
    if plan.names is None or set(map(type, objects)) != {dict}:
        return None
    # Valid rows need no look for missing names before: `KeyError` tells.
    try:
        if len(plan.required) == len(plan.names):
            return [[row[name] for name in plan.names] for row in objects]
        required = set(plan.required)
        return [
            [row[name] if name in required else row.get(name) for name in plan.names]
            for row in objects
        ]
    except KeyError:
        return None


def _plainly_right(plan: _Plan, ordered: list[Row]) -> bool:
    """The fast check: True if all values are valid; False if a value, such as inf, needs a look."""
    if plan.uniform:
        values = ordered[0] if len(ordered) == 1 else list(chain.from_iterable(ordered))
        return _fits(plan.columns[0], plan.takes[0], values)
    columns = zip(plan.columns, plan.takes, zip(*ordered, strict=True), strict=True)
    return all(_fits(*column) for column in columns)


def _fits(column: Column, takes: frozenset[type], values: Sequence[Any]) -> bool:
    kinds = set(map(type, values))
    # False for other values, so that `_cleaned` replaces them.
    if column.unused:
        return kinds == {type(None)}
    if not kinds <= takes:
        return False
    if column.type in PARSED:
        return not any(fault(column, value) for value in values)
    if kinds.isdisjoint(NUMBERS):
        return True
    return _finite(values if kinds <= NUMBERS else _numbers(values))


def _numbers(values: Sequence[Any]) -> Collection[float]:
    return [value for value in values if type(value) in NUMBERS]


def _finite(values: Collection[float]) -> bool:
    # One sum detects any NaN, infinity or integer beyond a float; a finite sum proves all finite.
    try:
        return math.isfinite(sum(map(float, values)))
    except OverflowError:
        return False


def _cleaned(plan: _Plan, row: Row) -> Row:
    return [
        None if column.unused or is_missing(value) else value
        for column, value in zip(plan.columns, row, strict=True)
    ]
