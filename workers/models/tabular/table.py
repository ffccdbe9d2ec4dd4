"""Tables: rows held by column, and the model inputs made of them. Every door goes through here."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Signature
from workers.models.tabular.columns import OBJECT, Array, array_of, is_float
from workers.models.tabular.dtypes import cast_to_dtype
from workers.models.tabular.dtypes import dtype_codes as kinds_of

Input = Any
"""An `ndarray` of shape (rows, columns), or (rows,) for a flat signature; or a `DataFrame`."""
Part = tuple[Array | None, Input]
"""Positions of some rows, or None for all, and the model's input made of them."""


class Table:
    """Validated rows, held as one array per column, or as one matrix if all are float64."""

    def __init__(
        self,
        signature: Signature,
        columns: Sequence[Array] = (),
        matrix: Array | None = None,
    ) -> None:
        """Either one array per column, made by `columns.array_of`, or a matrix (rows, columns)."""
        self._signature = signature
        self._columns = columns
        self._matrix = matrix

    @classmethod
    def of(cls, signature: Signature, rows: Sequence[Sequence[Any]]) -> "Table":
        """Make a table of wire rows; raises what `array_of` raises."""
        if is_matrix(signature):
            return cls(signature, matrix=np.array(rows, dtype=np.float64))
        columns = zip(signature.columns, zip(*rows, strict=True), strict=True)
        return cls(signature, [array_of(column, values) for column, values in columns])

    def __len__(self) -> int:
        return len(self._columns[0] if self._matrix is None else self._matrix)

    def __getitem__(self, rows: Any) -> "Table":
        """Select rows by a slice, or by an array of positions or booleans."""
        if self._matrix is not None:
            return Table(self._signature, matrix=self._matrix[rows])
        return Table(self._signature, [array[rows] for array in self._columns])

    def matrix(self) -> Array | None:
        """The rows as one matrix; None if there is an array for each column."""
        return self._matrix

    def arrays(self) -> Sequence[Array]:
        """All that the rows are held in."""
        return self._columns if self._matrix is None else (self._matrix,)

    def column(self, index: int) -> Array:
        """The values of one column, as `columns.array_of` makes them."""
        return self._columns[index] if self._matrix is None else self._matrix[:, index]

    def parts(self) -> Iterator[Part]:
        """Yield the model's inputs; usually a single one of all rows.

        Rows that would have other dtypes if they came alone get an input of their own, so that no
        answer depends on the other rows of a microbatch.
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
        """All rows as one input, whether or not their dtypes alone would differ."""
        signature = self._signature
        if self._matrix is not None:
            return _of_matrix(signature, self._matrix)
        arrays = [
            cast_to_dtype(c, array)
            for c, array in zip(signature.columns, self._columns, strict=True)
        ]
        if signature.frame:
            return _framed(signature, arrays)
        table = _stacked(arrays)
        return table[:, 0] if signature.flat else table

    def _codes(self) -> Array | None:
        """A row of codes for each row; rows with equal codes share an input. None if all do."""
        if self._matrix is not None:
            return None
        found = [
            (column.type == "any", codes)
            for column, array in zip(self._signature.columns, self._columns, strict=True)
            # Without a frame a column of unknown type stays an array of objects, which holds any
            # kind of value unchanged.
            if (self._signature.frame or column.type != "any")
            and (codes := kinds_of(column, array)) is not None
        ]
        if not any(codes.any() for _, codes in found):
            return None
        # Columns of known dtype need only two codes: the row fits all of them, or it does not.
        known = [codes for guessed, codes in found if not guessed]
        guessed = [codes for is_guessed, codes in found if is_guessed]
        unfit = [np.any(known, axis=0).astype(np.int8)] if known else []
        return np.column_stack([*unfit, *guessed])


@lru_cache(maxsize=4096)
def is_matrix(signature: Signature) -> bool:
    """Whether all columns are used and hold plain float64 numbers."""
    return all(is_float(column) and not column.unused for column in signature.columns)


def _of_matrix(signature: Signature, matrix: Array) -> Input:
    if signature.frame:
        return pd.DataFrame(matrix, columns=[column.name for column in signature.columns])
    return matrix[:, 0] if signature.flat else matrix


def _framed(signature: Signature, arrays: Sequence[Array]) -> pd.DataFrame:
    names = (column.name for column in signature.columns)
    # The dtype is given explicitly: pandas would infer its text dtype, which cannot hold None.
    series = (pd.Series(array, dtype=array.dtype, copy=False) for array in arrays)
    return pd.DataFrame(dict(zip(names, series, strict=True)))


def _stacked(arrays: Sequence[Array]) -> Array:
    """One array (rows, columns) of the common dtype or of objects, as `DataFrame.to_numpy`."""
    dtype_codes = {array.dtype.kind if isinstance(array, np.ndarray) else "O" for array in arrays}
    if dtype_codes <= set("iuf") or dtype_codes == {"b"}:
        return np.column_stack(arrays)
    stacked = np.empty((len(arrays[0]), len(arrays)), dtype=OBJECT)
    for index, array in enumerate(arrays):
        stacked[:, index] = array.astype(object)
    return stacked
