"""A row of a frame as it goes over the wire."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from registry.manifest import Column


def wire_row(frame: pd.DataFrame, columns: tuple[Column, ...], place: int) -> list[Any]:
    """The row at a place, its values in the order of the columns, as JSON has them."""
    return [
        None if column.unused else wire_value(frame.iloc[place, position])
        for position, column in enumerate(columns)
    ]


def wire_value(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 text, null for whatever is missing."""
    if pd.isna(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value
