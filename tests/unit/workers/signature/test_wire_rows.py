"""Rows of a frame as JSON values."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pandas as pd

from registry.manifest import Column
from workers.models.signature.wire import wire_rows, wire_value

FRAME = pd.DataFrame(
    {
        "whole": np.array([1, 2, 3], np.int16),
        "single": np.array([0.1, np.inf, -0.0], np.float32),
        "gaps": [1.5, np.nan, 2.5],
        "yes": [True, False, True],
        "nullable": pd.array([1, None, 3], dtype="Int64"),
        "text": ["a", None, "c"],
        "kind": pd.Categorical(["x", None, "y"]),
        "time": pd.to_datetime([datetime(2024, 2, 29, tzinfo=UTC), None, None]),
        "span": pd.to_timedelta(["1h", None, "2h"]),
        "price": [Decimal("1.10"), None, Decimal(3)],
    }
)


def test_wire_rows_are_the_cells_one_by_one() -> None:
    columns = tuple(Column(name, "float64") for name in FRAME.columns)
    found = wire_rows(FRAME, columns)
    told = [[wire_value(FRAME.iloc[row, at]) for at in range(len(columns))] for row in range(3)]
    assert found == told
    kinds = [[type(value) for value in row] for row in found]
    assert kinds == [[type(value) for value in row] for row in told]


def test_wire_rows_have_nulls_for_unused_columns() -> None:
    columns = (Column("whole", "int16"), Column("single", "float32", unused=True))
    assert wire_rows(FRAME.iloc[:2, :2], columns) == [[1, None], [2, None]]
