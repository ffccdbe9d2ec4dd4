"""Rows as columns, and what a model is given of them: the one way from any door to a model."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Signature
from workers.models.tabular.columns import OBJECT, Array, array_of, is_float
from workers.models.tabular.dtypes import kinds as kinds_of
from workers.models.tabular.dtypes import met

Input = Any
"""An `ndarray` of shape (rows, columns), or (rows,) for a flat signature; or a `DataFrame`."""
Part = tuple[Array | None, Input]
"""Positions of rows, None for all, and what the model is given of them."""


class Table:
    """Rows that passed the signature, a column at a time, or a matrix where all are doubles."""

    def __init__(
        self,
        signature: Signature,
        columns: Sequence[Array] = (),
        matrix: Array | None = None,
    ) -> None:
        """The arrays are as `workers.models.tabular.columns.array_of` makes them."""
        self._signature = signature
        self._columns = columns
        self._matrix = matrix

    @classmethod
    def of(cls, signature: Signature, rows: Sequence[Sequence[Any]]) -> "Table":
        """A table of rows of the wire; raises what `array_of` raises."""
        if is_matrix(signature):
            return cls(signature, matrix=np.array(rows, dtype=np.float64))
        columns = zip(signature.columns, zip(*rows, strict=True), strict=True)
        return cls(signature, [array_of(column, values) for column, values in columns])

    def __len__(self) -> int:
        return len(self._columns[0] if self._matrix is None else self._matrix)

    def __getitem__(self, rows: Any) -> "Table":
        """Some of the rows: a slice, or an array of positions or booleans."""
        if self._matrix is not None:
            return Table(self._signature, matrix=self._matrix[rows])
        return Table(self._signature, [array[rows] for array in self._columns])

    def parts(self) -> Iterator[Part]:
        """What the model is given: most often one input of all rows.

        Rows that would be a frame of other dtypes if they came alone are an input of their own,
        so that none is answered otherwise because of its company.
        """
        codes = self._codes()
        if codes is None:
            yield None, self.whole()
            return
        _, which = np.unique(codes, axis=0, return_inverse=True)
        for kind in range(which.max() + 1):
            positions = np.flatnonzero(which == kind)
            yield positions, self[positions].whole()

    def whole(self) -> Input:
        """All rows as one input, whatever company that is."""
        signature = self._signature
        if self._matrix is not None:
            return _of_matrix(signature, self._matrix)
        arrays = [met(c, array) for c, array in zip(signature.columns, self._columns, strict=True)]
        if signature.frame:
            return _framed(signature, arrays)
        table = _stacked(arrays)
        return table[:, 0] if signature.flat else table

    def _codes(self) -> Array | None:
        """A row of numbers for each row; rows with the same go together."""
        if self._matrix is not None:
            return None
        found = [
            (column.type == "any", codes)
            for column, array in zip(self._signature.columns, self._columns, strict=True)
            # An array of objects has a value of any kind as it is.
            if (self._signature.frame or column.type != "any")
            and (codes := kinds_of(column, array)) is not None
        ]
        if not any(codes.any() for _, codes in found):
            return None
        # Of columns whose dtype is known, two kinds of rows: those that fit all, and the others.
        known = [codes for guessed, codes in found if not guessed]
        guessed = [codes for is_guessed, codes in found if is_guessed]
        unfit = [np.any(known, axis=0).astype(np.int8)] if known else []
        return np.column_stack([*unfit, *guessed])


@lru_cache(maxsize=4096)
def is_matrix(signature: Signature) -> bool:
    """Whether all columns are plainly doubles."""
    return all(is_float(column) and not column.unused for column in signature.columns)


def _of_matrix(signature: Signature, matrix: Array) -> Input:
    if signature.frame:
        return pd.DataFrame(matrix, columns=[column.name for column in signature.columns])
    return matrix[:, 0] if signature.flat else matrix


def _framed(signature: Signature, arrays: Sequence[Array]) -> pd.DataFrame:
    names = (column.name for column in signature.columns)
    # Said, as pandas would take text for its own dtype, which knows no None.
    series = (pd.Series(array, dtype=array.dtype, copy=False) for array in arrays)
    return pd.DataFrame(dict(zip(names, series, strict=True)))


def _stacked(arrays: Sequence[Array]) -> Array:
    """One array, as pandas' `to_numpy` makes it: of their common dtype, or of objects."""
    kinds = {array.dtype.kind if isinstance(array, np.ndarray) else "O" for array in arrays}
    if kinds <= set("iuf") or kinds == {"b"}:
        return np.column_stack(arrays)
    stacked = np.empty((len(arrays[0]), len(arrays)), dtype=OBJECT)
    for place, array in enumerate(arrays):
        stacked[:, place] = array.astype(object)
    return stacked
