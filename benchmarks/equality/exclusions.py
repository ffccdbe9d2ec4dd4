"""The complete list of values that a format cannot express, and which are not compared.

Each is a value in a column of one type, in CSV. Other formats can express all values used here.
"""

import pandas as pd

from registry.manifest import Column, Signature
from tasks.jobs.files.dialect import MISSING_TEXTS
from workers.jobs.tables.csv.texts import is_number

BLANK = "a blank field is nothing, and blank text"
WORD = "a word for nothing, which neither the sample nor an encoder has as text"
LOOKS = "text that looks like a number or a boolean, in a column that takes them as well"
_BOOLEANS = ("true", "True", "TRUE", "false", "False", "FALSE")


def excluded(door: str, signature: Signature, rows: pd.DataFrame) -> dict[int, str]:
    """Rows with a value that the door's format cannot express, and which value it is."""
    if door != "csv":
        return {}
    found = {}
    for index in range(len(rows)):
        cells = zip(signature.columns, rows.iloc[index], strict=True)
        reasons = (_unsayable(column, value) for column, value in cells if not column.unused)
        if reason := next(filter(None, reasons), ""):
            found[index] = reason
    return found


def _unsayable(column: Column, value: object) -> str:
    kept = {*column.words, *map(str, column.categories or ())}
    if column.type == "string" and not column.nullable:
        kept.add("")
    if bool(pd.isna(value)):
        return BLANK if "" in kept else ""
    if not isinstance(value, str) or value in kept:
        return ""
    if (value if column.type == "string" else value.strip()) in MISSING_TEXTS:
        return WORD
    looks = column.type == "any" and (value in _BOOLEANS or is_number(value))
    return LOOKS if looks else ""
