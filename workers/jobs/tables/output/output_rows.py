"""The output rows of a block."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from telemetry.errors import InvalidInput
from workers.jobs.tables.spans import Block
from workers.models.tabular.columns import Array


def output(
    block: Block, answered: Sequence[int] | Array, columns: Mapping[str, pa.Array]
) -> pa.Table:
    """The columns copied from the input, and the predictions beside them.

    There is one row for each row of the block. ``answered`` are the positions of the rows that
    ``columns`` hold, in order; other rows have nulls. Raises `InvalidInput` if input and
    predictions have a column of the same name.
    """
    if len(answered) < block.rows:
        takes = _takes(block.rows, answered)
        columns = {name: values.take(takes) for name, values in columns.items()}
    carried = block.carried if block.carried is not None else pa.table({})
    refuse_clash(carried.column_names, list(columns))
    names = [*carried.column_names, *columns]
    return pa.table([*carried.columns, *columns.values()], names=names)


def refuse_clash(carried: Sequence[str], columns: Sequence[str]) -> None:
    """Raise `InvalidInput` if input and predictions have a column of the same name."""
    both = [name for name in columns if name in carried]
    if both:
        raise InvalidInput(f"the input has a column {both[0]!r} of its own; rename it")


def _takes(rows: int, answered: Sequence[int] | Array) -> pa.Array:
    """For each row its index among the answered ones, or null."""
    places = np.full(rows, -1)
    places[np.asarray(answered, np.int64)] = np.arange(len(answered))
    return pa.array(places, mask=places < 0)
