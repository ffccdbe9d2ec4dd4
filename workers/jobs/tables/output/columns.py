"""Columns of the output: the model's answers, beside columns copied from the input."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from registry.columns.output_names import column_names, output_classes, output_name
from registry.manifest import Signature
from telemetry.errors import InvalidInput, ModelError
from workers.jobs.tables.spans import Block
from workers.models.tabular.columns import Array
from workers.models.tabular.outputs import Output, to_wire

_NO_COLUMN = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
"""Raised for values of different types, or of one that Arrow does not have."""


def columns(signature: Signature, answers: Mapping[str, Output]) -> dict[str, pa.Array]:
    """Name → values: ``prediction``, ``probability_<class>``, ``decision``.

    Several outputs are numbered: ``prediction_0``, ``probability_0_0``.
    """
    found: dict[str, pa.Array] = {}
    for method, answer in answers.items():
        name = output_name(method)
        if isinstance(answer, list):
            for index, output in enumerate(answer):
                found.update(_named(f"{name}_{index}", output, None))
        else:
            found.update(_named(name, answer, output_classes(signature, method)))
    return found


def empty_columns(names: Sequence[str]) -> dict[str, pa.Array]:
    """Prediction columns with no rows, for a block without answers."""
    return {name: pa.nulls(0) for name in names}


def output(
    block: Block, answered: Sequence[int] | Array, columns: Mapping[str, pa.Array]
) -> pa.Table:
    """The columns copied from the input, and the predictions beside them.

    There is one row for each row of the block. ``answered`` are the positions of the rows that
    ``columns`` hold, in order; other rows have nulls. Raises `InvalidInput` if input and
    predictions have a column of the same name.
    """
    # If all rows are good, which is usual, the columns are used without a copy.
    if len(answered) < block.rows:
        takes = _takes(block.rows, answered)
        columns = {name: values.take(takes) for name, values in columns.items()}
    carried = block.carried if block.carried is not None else pa.table({})
    _refuse_clash(carried.column_names, list(columns))
    names = [*carried.column_names, *columns]
    return pa.table([*carried.columns, *columns.values()], names=names)


def _refuse_clash(carried: Sequence[str], columns: Sequence[str]) -> None:
    """Raise `InvalidInput` if input and predictions have a column of the same name."""
    both = [name for name in columns if name in carried]
    if both:
        raise InvalidInput(f"the input has a column {both[0]!r} of its own; rename it")


def _takes(rows: int, answered: Sequence[int] | Array) -> pa.Array:
    """Index of each row among the answered ones, or null."""
    indexes = np.full(rows, -1)
    indexes[np.asarray(answered, np.int64)] = np.arange(len(answered))
    return pa.array(indexes, mask=indexes < 0)


def _named(name: str, array: Array, classes: Sequence[Any] | None) -> dict[str, pa.Array]:
    if array.ndim == 1:
        return {name: _arrow(array)}
    array = array.reshape(len(array), -1)
    names = column_names(name, array.shape[1], classes)
    return {each: _arrow(array[:, index]) for index, each in enumerate(names)}


def _arrow(array: Any) -> pa.Array:
    if array.dtype != object:
        return pa.array(np.ascontiguousarray(array))
    try:
        return pa.array(array.tolist())
    except _NO_COLUMN:
        return _of_json(array)


def _of_json(array: Any) -> pa.Array:
    """A column of what JSON says of the values, such as null for the NaN among texts."""
    try:
        return pa.array(msgspec.to_builtins(to_wire(array)))
    except _NO_COLUMN as error:
        raise ModelError(f"the model's answers do not fit into a column: {error}") from error
