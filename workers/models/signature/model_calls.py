"""Calls a model to find out whether it takes rows, and which other values it takes in them."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec.structs import replace

from registry.manifest import Column, Signature
from workers.models.signature.methods import MODEL_METHODS, answer_of, method_candidates
from workers.models.tabular.table import Input, Table

Row = list[Any]
_MANY, _TRIED = 64, 8
"""With more than `_MANY` columns, only `_TRIED` of them are tried before all are ruled out."""


def model_refusal(
    model: Any, given: Input, rows: int, method: str | None = None
) -> Exception | None:
    """The exception that the model raises for an input; None if it answers all ``rows`` rows.

    ``method`` defaults to the first of `method_candidates`; to any of them, if the model has only
    methods of its own. Raises `MemoryError` if a call does.
    """
    names = [method] if method else _main_candidates(model)
    errors = (_refusal(model, name, given, rows) for name in names)
    first = next(errors, None)
    return None if first is None or any(error is None for error in errors) else first


def _main_candidates(model: Any) -> list[str]:
    names = method_candidates(model)
    return names[:1] if names[:1] and names[0] in MODEL_METHODS else names


def _refusal(model: Any, method: str, given: Input, rows: int) -> Exception | None:
    try:
        answer_of(model, method, given, rows)
    except MemoryError:  # it would take other rows
        raise
    except Exception as error:  # noqa: BLE001 - whatever a model raises, it is a refusal
        return error
    return None


def model_takes(model: Any, signature: Signature, row: Row) -> bool:
    """Whether the model takes a wire row, converted by the signature's columns."""
    try:
        parts = [*Table.of(signature, [row]).parts()]
    except (ValueError, TypeError, OverflowError):
        return False
    return all(model_refusal(model, given, 1, signature.main) is None for _, given in parts)


def with_tolerance(model: Any, signature: Signature, row: Row) -> Signature:
    """Return the signature with the columns marked in which the model takes nulls or infinities.

    ``row`` is a wire row that the model takes; its values are replaced to find out.
    """

    def takes_row(other: Row) -> bool:
        return model_takes(model, signature, other)

    columns = signature.columns
    everywhere = [n for n, column in enumerate(columns) if not column.unused]
    numbers = [n for n in everywhere if columns[n].type in ("number", "any")]
    nullable = _tolerant(takes_row, row, [n for n in everywhere if not columns[n].nullable], None)
    infinite = _tolerant(takes_row, row, numbers, math.inf)
    infinite = _tolerant(takes_row, row, sorted(infinite), -math.inf)
    return replace(
        signature,
        columns=tuple(
            replace(
                column,
                nullable=column.nullable or n in nullable,
                infinite=column.unused or n in infinite,
            )
            for n, column in enumerate(columns)
        ),
    )


def tolerant(model: Any, signature: Signature, row: Row, stranger: Any) -> set[int]:
    """Positions where the model takes ``stranger`` in place of the row's value."""

    def takes_row(other: Row) -> bool:
        columns = tuple(
            Column(column.name, "any") if value is stranger else column
            for column, value in zip(signature.columns, other, strict=True)
        )
        return model_takes(model, replace(signature, columns=columns), other)

    return _tolerant(takes_row, row, range(len(row)), stranger)


def _tolerant(
    takes_row: Callable[[Row], bool], row: Row, positions: Sequence[int], stranger: Any
) -> set[int]:
    """Positions where the model takes ``stranger``, found by bisecting the positions it refuses.

    Of many columns only a few are tried, as usually one step refuses all of them.
    """
    indices = set(positions)
    other = [stranger if n in indices else value for n, value in enumerate(row)]
    with np.errstate(all="ignore"):
        if not positions or takes_row(other):
            return indices
    if len(positions) == 1 or _none_does(takes_row, row, positions, stranger):
        return set()
    middle = len(positions) // 2
    first, second = positions[:middle], positions[middle:]
    return _tolerant(takes_row, row, first, stranger) | _tolerant(takes_row, row, second, stranger)


def _none_does(
    takes_row: Callable[[Row], bool], row: Row, positions: Sequence[int], stranger: Any
) -> bool:
    """Whether there are many positions and the model refuses ``stranger`` at all those tried."""
    if len(positions) <= _MANY:
        return False
    tried = [positions[index * len(positions) // _TRIED] for index in range(_TRIED)]
    others = ([stranger if n == index else v for n, v in enumerate(row)] for index in tried)
    with np.errstate(all="ignore"):
        return not any(map(takes_row, others))
