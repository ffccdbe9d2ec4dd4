"""Texts of CSV that stand for nothing in a column, or that were meant as a number."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from registry.manifest import Column
from tasks.jobs.files.dialect import DECIMAL_COMMA
from workers.jobs.tables.features.features import Faults


def without_missing(column: Column, texts: Any, missing: tuple[str, ...]) -> Any:
    """Null where a text stands for nothing; what is no text any more stays as it is.

    A word that the column has as a value is one, and so is the empty string where the model must
    have a string.
    """
    if texts.type != pa.string():
        return texts
    kept = {*column.words, *map(str, column.categories or ())}
    if column.type == "string" and not column.nullable:
        kept.add("")
    words = pa.array([word for word in missing if word not in kept], pa.string())
    told = texts if column.type == "string" else pc.utf8_trim_whitespace(texts)
    found = pc.is_in(told, words)
    if told is not texts:  # a category may be a blank
        found = pc.and_not(found, pc.is_in(texts, pa.array(sorted(kept), pa.string())))
    return pc.if_else(found, None, texts) if pc.any(found).as_py() else texts


def note_decimal_commas(column: Column, texts: Any, faults: Faults) -> None:
    """Note the rows where a number is written with a comma before its fraction."""
    if column.type != "number" or texts.type != pa.string():
        return
    commas = pc.match_substring_regex(texts, rf"^\s*{DECIMAL_COMMA}\s*$").fill_null(False)
    for row in pc.indices_nonzero(commas).to_pylist():
        text = texts[row].as_py()[:40]
        what = f"{text!r} is no number; use a point for decimals"
        faults.setdefault(row, f"column {column.name!r}: {what}")
