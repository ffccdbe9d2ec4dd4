"""Numbers in columns of CSV text: with a decimal comma if the file has these."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from registry.manifest import Column
from tasks.jobs.files.decimal_comma import (
    DECIMAL_COMMA,
    NO_COMMA,
    DecimalMark,
    not_a_number,
    with_point,
)
from workers.models.tabular.features import Faults


def with_points(column: Column, texts: Any, mark: DecimalMark, faults: Faults) -> Any:
    """Give numbers a decimal point; notes the rows whose number has the other mark.

    Columns that hold no numbers, and those that pyarrow has parsed, stay as they are.
    """
    if texts.type != pa.string() or not may_hold_decimals(column):
        return texts
    if mark == ".":
        _note_commas(column, texts, faults)
        return texts
    values = texts.to_pylist()
    points = [text if text is None else with_point(text) for text in values]
    for row, (text, point) in enumerate(zip(values, points, strict=True)):
        if text is not None and point is None:
            faults.setdefault(row, f"column {column.name!r}: {text[:40]!r} {NO_COMMA}")
    return pa.chunked_array([pa.array(points, pa.string())])


def may_hold_decimals(column: Column) -> bool:
    """Whether values of the column may be numbers with decimals."""
    if column.type == "category":
        return any(isinstance(value, float) for value in column.categories or ())
    return column.type in ("number", "decimal", "any")


def _note_commas(column: Column, texts: Any, faults: Faults) -> None:
    # In other columns, a comma may be part of a text.
    if column.type != "number":
        return
    commas = pc.match_substring_regex(texts, rf"^\s*{DECIMAL_COMMA}\s*$").fill_null(False)
    for row in pc.indices_nonzero(commas).to_pylist():
        what = not_a_number(texts[row].as_py())
        faults.setdefault(row, f"column {column.name!r}: {what}")
