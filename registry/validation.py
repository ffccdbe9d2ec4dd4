"""Checks features against a signature before anything is queued, fast when they are right."""

import math
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec

from registry import diagnosis
from registry.manifest import Column, Signature
from telemetry.errors import InvalidFeatures

Row = list[Any]


class _Plan(msgspec.Struct, frozen=True):
    """What the fast check needs to know of a signature."""

    columns: tuple[Column, ...]
    names: tuple[str, ...] | None
    """None where rows cannot come as objects."""
    uniform: bool
    """Whether all columns take the same values, so that they can be checked as one."""


def rows(signature: Signature, features: Any) -> list[Row]:
    """Give the rows in column order, from a row, rows, an object or objects.

    A missing value is None in them. Raises `InvalidFeatures` with at most
    `diagnosis.MAX_DETAILS` details.
    """
    plan = _plan(signature)
    table = _table(plan, features)
    if table is not None and _plainly_right(plan, table):
        return table
    diagnosis.check(signature, features)
    if table is None:  # something like a list or an object, which no parser makes
        raise InvalidFeatures("features must be a row or a list of rows")
    return [[None if diagnosis.is_missing(value) else value for value in row] for row in table]


@lru_cache(maxsize=4096)
def _plan(signature: Signature) -> _Plan:
    columns = signature.columns
    kinds = {(column.type, column.nullable, column.infinite) for column in columns}
    names = tuple(column.name for column in columns) if signature.named else None
    return _Plan(columns, names, len(kinds) == 1)


def _table(plan: _Plan, features: Any) -> list[Row] | None:
    """Bring any of the four shapes into rows; None when it has none of them."""
    if type(features) is dict:
        return _from_objects(plan, [features])
    if type(features) is not list or not features:
        return None
    if type(features[0]) is dict:
        return _from_objects(plan, features)
    table = features if type(features[0]) is list else [features]
    right = set(map(type, table)) == {list} and set(map(len, table)) == {len(plan.columns)}
    return table if right else None


def _from_objects(plan: _Plan, objects: list[Any]) -> list[Row] | None:
    if plan.names is None or set(map(type, objects)) != {dict}:
        return None
    if set(map(len, objects)) != {len(plan.names)}:
        return None
    try:
        return [[row[name] for name in plan.names] for row in objects]
    except KeyError:
        return None


def _plainly_right(plan: _Plan, table: list[Row]) -> bool:
    """Whether all is certainly right; when in doubt (an infinity, say) it is not."""
    if plan.uniform:
        values = table[0] if len(table) == 1 else list(chain.from_iterable(table))
        return _fits(plan.columns[0], values)
    columns = zip(*table, strict=True)
    return all(_fits(column, values) for column, values in zip(plan.columns, columns, strict=True))


def _fits(column: Column, values: Sequence[Any]) -> bool:
    kinds = set(map(type, values))
    if not kinds <= diagnosis.taken(column):
        return False
    if kinds.isdisjoint(diagnosis.NUMBERS):
        return True
    return _finite(values if kinds <= diagnosis.NUMBERS else _numbers(values))


def _numbers(values: Sequence[Any]) -> Collection[float]:
    return [value for value in values if type(value) in diagnosis.NUMBERS]


def _finite(values: Collection[float]) -> bool:
    # One sum finds any NaN, infinity or integer beyond a float; all else it calls right, is.
    try:
        return math.isfinite(sum(map(float, values)))
    except OverflowError:
        return False
