"""Finds a fitted model's signature: by what it says of itself, and by asking it to predict."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec.structs import replace
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from registry.diagnosis import is_missing
from registry.manifest import METHODS, Column, Signature
from registry.validation import Row
from registry.validation import rows as validated
from telemetry.errors import ModelUnloadable
from workers.categories import known_values
from workers.tabular import to_input, to_wire

Kind = Literal["number", "string", "boolean", "any"]

_KINDS: dict[type, Kind] = {int: "number", float: "number", str: "string", bool: "boolean"}
_PROBES = (0.0, 1.0)  # one of them is in the domain of a logarithm


class Inspected(msgspec.Struct, frozen=True):
    """What inspection found."""

    signature: Signature
    example: Row | None
    """A row that the model took, if any did."""


def inspect(estimator: Any, feature_names: Sequence[str] | None, examples: Any = None) -> Inspected:
    """Find the signature; ``examples`` are rows in any shape that a request may have.

    Raises `ModelUnloadable` when the model is not fitted, refuses the examples, or neither it nor
    they tell how many features it takes; `InvalidFeatures` when the examples are no such rows.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(1):
        warnings.simplefilter("ignore")
        _check_fitted(estimator)
        blank = _blank(estimator, feature_names, examples)
        if examples is None:
            return _by_probing(estimator, blank)
        return _by_examples(estimator, blank, validated(blank, examples))


def _check_fitted(estimator: Any) -> None:
    if isinstance(estimator, BaseEstimator):
        try:
            check_is_fitted(estimator)
        except NotFittedError as error:
            raise ModelUnloadable(f"the model is not fitted: {error}") from error


def _blank(estimator: Any, feature_names: Sequence[str] | None, examples: Any) -> Signature:
    """A signature with the right columns and methods, which takes anything."""
    own = getattr(estimator, "feature_names_in_", None)
    width = getattr(estimator, "n_features_in_", None)
    names = own if own is not None else feature_names
    if names is not None and width not in (None, len(names)):
        raise ModelUnloadable(f"the model takes {width} features, but {len(names)} are named")
    if names is None and width is None:
        width, names = _shape(examples)
    if names is None and width is None and _takes_text(estimator):
        return replace(_signature(estimator, ["text"]), flat=True)
    if names is None and width is None:
        raise ModelUnloadable("the model does not say how many features it takes; give an example")
    if names is None:
        return _signature(estimator, [f"x{position}" for position in range(width or 0)])
    signature = _signature(estimator, [str(name) for name in names])
    return replace(signature, named=True, frame=own is not None)


def _shape(examples: Any) -> tuple[int | None, list[str] | None]:
    """Width and names, as far as examples show them."""
    first = examples[0] if isinstance(examples, list) and examples else examples
    if isinstance(first, dict):
        return None, list(first)
    row = first if isinstance(first, list) else examples
    return (len(row), None) if isinstance(row, list) else (None, None)


def _signature(estimator: Any, names: list[str]) -> Signature:
    columns = tuple(Column(name, "any", nullable=True, infinite=True) for name in names)
    methods = tuple(m for m in METHODS if callable(getattr(estimator, m, None)))
    return Signature(columns, False, False, methods, _classes(estimator))


def _classes(estimator: Any) -> tuple[Any, ...] | None:
    classes = getattr(estimator, "classes_", None)
    single = isinstance(classes, np.ndarray) and classes.ndim == 1
    return tuple(to_wire(classes)) if single else None


def _takes_text(estimator: Any) -> bool:
    """Whether it takes strings as a sequence, yet not as a table."""
    flat = np.array(["some text"], dtype=object)
    return _refusal(estimator, flat) is None and _refusal(estimator, flat[:, None]) is not None


def _by_examples(estimator: Any, blank: Signature, rows: list[Row]) -> Inspected:
    kinds = [_kind(values) for values in zip(*rows, strict=True)]
    signature = _typed(blank, kinds)
    refusal = _refusal(estimator, to_input(signature, rows))
    if refusal and len(kinds) == 1:
        signature = replace(signature, flat=True, frame=False)
        refusal = _refusal(estimator, to_input(signature, rows)) and refusal
    if refusal:
        reason = f"{type(refusal).__name__}: {refusal}"
        raise ModelUnloadable(f"the model refuses the example: {reason}") from refusal
    return _asked(estimator, signature, rows[0])


def _by_probing(estimator: Any, blank: Signature) -> Inspected:
    known = known_values(estimator)
    for probe in ("some text",) if blank.flat else _PROBES:
        row = [known.get(position, probe) for position in range(len(blank.columns))]
        signature = _typed(blank, [_kind([value]) for value in row])
        if _refusal(estimator, to_input(signature, [row])) is None:
            return _asked(estimator, signature, row)
    return Inspected(blank, None)


def _kind(values: Sequence[Any]) -> Kind:
    kinds = {_KINDS.get(type(value), "any") for value in values if not is_missing(value)}
    return kinds.pop() if len(kinds) == 1 else "any"


def _typed(blank: Signature, kinds: Sequence[Kind]) -> Signature:
    columns = zip(blank.columns, kinds, strict=True)
    return replace(blank, columns=tuple(Column(column.name, kind) for column, kind in columns))


def _asked(estimator: Any, signature: Signature, row: Row) -> Inspected:
    """Complete a signature by asking the model what else it takes in ``row``."""

    def takes(other: Row) -> bool:
        return _refusal(estimator, to_input(signature, [other])) is None

    everywhere = range(len(row))
    numbers = [i for i in everywhere if signature.columns[i].type == "number"]
    nullable = _tolerant(takes, row, everywhere, None)
    infinite = _tolerant(takes, row, numbers, math.inf)
    infinite = _tolerant(takes, row, sorted(infinite), -math.inf)
    columns = tuple(
        replace(column, nullable=i in nullable, infinite=i in infinite)
        for i, column in enumerate(signature.columns)
    )
    outputs = np.shape(estimator.predict(to_input(signature, [row])))[1:]
    return Inspected(replace(signature, columns=columns, outputs=math.prod(outputs)), row)


def _tolerant(
    takes: Callable[[Row], bool], row: Row, positions: Sequence[int], stranger: Any
) -> set[int]:
    """Positions where the model takes ``stranger``, found by halving what it refuses at once."""
    other = [stranger if i in set(positions) else value for i, value in enumerate(row)]
    if not positions or takes(other):
        return set(positions)
    if len(positions) == 1:
        return set()
    middle = len(positions) // 2
    first, second = positions[:middle], positions[middle:]
    return _tolerant(takes, row, first, stranger) | _tolerant(takes, row, second, stranger)


def _refusal(estimator: Any, model_input: Any) -> Exception | None:
    try:
        estimator.predict(model_input)
    except Exception as error:  # noqa: BLE001 - whatever a model raises, it is a refusal
        return error
    return None
