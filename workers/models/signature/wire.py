"""Converts rows of a frame to wire rows: lists of JSON values."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column


def wire_row(frame: pd.DataFrame, columns: tuple[Column, ...], index: int) -> list[Any]:
    """The frame's row at position ``index`` as JSON values in column order."""
    return [
        None if column.unused else wire_value(frame.iloc[index, position])
        for position, column in enumerate(columns)
    ]


def wire_value(value: Any) -> Any:
    """Convert a value to JSON: times to ISO 8601 text, any missing value to null."""
    if pd.isna(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value
