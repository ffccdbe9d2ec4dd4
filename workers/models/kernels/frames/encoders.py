"""Encoders of categories, as mappings from each value to what scikit-learn's encoder gives."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from workers.models.kernels.frames.reading import Values, columns_of, values_of
from workers.models.tabular.columns import FLOAT, OBJECT, Array

MAX_ENTRIES = 2**21
"""Most numbers that an encoder is asked for: categories times outputs."""
REFUSED = -2
"""Stands for a value that scikit-learn refuses, or that is left to it."""
_UNFOUND = -1
_UNKNOWN_TEXT = "\0 no category has this name"


class ColumnMapping(msgspec.Struct, frozen=True):
    """What one column's values become."""

    dtypes: tuple[Any, ...]
    """The dtypes that the column may have."""
    rows: dict[Any, int]
    """Value → row of ``outputs``, or `REFUSED`."""
    missing: int
    """The row of NaN, or `REFUSED`."""
    unknown: int
    """The row of a value that is no category, or `REFUSED`."""
    outputs: Array
    """float64, of shape (rows, columns that the encoder makes of this one)."""

    def encoded(self, given: Values) -> Array | None:
        """The outputs of some values; None if one of them is for scikit-learn to refuse."""
        if given.dtype not in self.dtypes:
            return None
        if given.dtype == FLOAT and np.isinf(given.values).any():
            return None
        indices = [self.rows.get(value, _UNFOUND) for value in given.values]
        if min(indices) < 0:
            indices = self._completed(indices, given.values)
            if min(indices) == REFUSED:
                return None
        return self.outputs[indices]

    def _completed(self, indices: list[int], values: list[Any]) -> list[int]:
        return [
            index if index != _UNFOUND else self.missing if value != value else self.unknown
            for index, value in zip(indices, values, strict=True)
        ]


class EncodedColumns(msgspec.Struct, frozen=True):
    """Columns that an encoder gets, perhaps after an imputer."""

    indices: list[int]
    """Indices of the columns in the frame."""
    mappings: list[ColumnMapping]

    def block(self, frame: pd.DataFrame) -> Array | None:
        """The matrix (rows, outputs) that scikit-learn's steps give; None as in `ColumnMapping`."""
        parts = []
        for array, mapping in zip(columns_of(frame, self.indices), self.mappings, strict=True):
            given = values_of(array)
            part = None if given is None else mapping.encoded(given)
            if part is None:
                return None
            parts.append(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


class Asked(msgspec.Struct, frozen=True):
    """Fitted steps, of which the last is an encoder, and the names of the columns they get."""

    steps: Sequence[Any]
    names: list[Any]

    def answers(self, column: int, values: Sequence[Any]) -> Array:
        """What the steps give for these values of a column; the others have their first category.

        A matrix (values, outputs of all columns). Raises what the steps raise.
        """
        categories = self.steps[-1].categories_
        given: Any = pd.DataFrame(
            {
                name: pd.Series(
                    values if at == column else known[:1].repeat(len(values)), dtype=known.dtype
                )
                for at, (name, known) in enumerate(zip(self.names, categories, strict=True))
            }
        )
        for step in self.steps:
            given = step.transform(given)
        return given.toarray() if hasattr(given, "toarray") else given


def encoder_mappings(asked: Asked, widths: Sequence[int]) -> list[ColumnMapping] | None:
    """Ask for each category of each column; None if that is too much, or gives other dtypes.

    ``widths``: how many columns the encoder makes of each. Raises what the steps raise for a
    category that they know.
    """
    categories = asked.steps[-1].categories_
    if sum(map(len, categories)) * sum(widths) > MAX_ENTRIES:
        return None
    if any(known.dtype not in (OBJECT, FLOAT, np.int64, np.bool_) for known in categories):
        return None
    ends = np.cumsum(widths)
    return [
        _mapping(asked, column, slice(end - width, end))
        for column, (width, end) in enumerate(zip(widths, ends, strict=True))
    ]


def _mapping(asked: Asked, column: int, outputs: slice) -> ColumnMapping:
    known = asked.steps[-1].categories_[column]
    values = known.tolist()
    found = [asked.answers(column, known)[:, outputs]]
    if found[0].dtype != FLOAT:
        raise TypeError(f"the encoder gives {found[0].dtype}")
    rows = {value: row for row, value in enumerate(values) if value == value}

    def row_of(value: Any) -> int:
        try:
            answer = asked.answers(column, [value])[:, outputs]
        except Exception:  # noqa: BLE001 - it refuses the value
            return REFUSED
        found.append(answer)
        return sum(map(len, found)) - 1

    missing = row_of(np.nan) if known.dtype in (OBJECT, FLOAT) else REFUSED
    unknown = row_of(_strange(known))
    if known.dtype == OBJECT and None not in rows:
        rows[None] = row_of(None)
    return ColumnMapping(_dtypes(asked, known), rows, missing, unknown, np.concatenate(found))


def _strange(known: Array) -> Any:
    """A value that is no category."""
    if known.dtype == OBJECT:
        return _UNKNOWN_TEXT
    if known.dtype == np.bool_:
        return not known[0]
    finite = known[np.isfinite(known)]
    return finite.max() + 1 if len(finite) else 0


def _dtypes(asked: Asked, known: Array) -> tuple[Any, ...]:
    """An imputer that was fitted on objects turns its input into objects first."""
    if known.dtype == OBJECT and len(asked.steps) > 1:
        return OBJECT, np.dtype(bool), FLOAT, np.dtype(np.int64)
    return (known.dtype,)
