"""Texts in CSV columns that mean a missing value, or are numbers with a decimal comma."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from registry.manifest import Column
from tasks.jobs.files.dialect import DECIMAL_COMMA
from workers.models.tabular.features import Faults


def without_missing(column: Column, texts: Any, missing: tuple[str, ...]) -> Any:
    """Replace texts that mean a missing value by null; columns of other types stay as they are.

    A word that is a value of the column stays, and so does the empty string if the model
    requires a string.
    """
    if texts.type != pa.string():
        return texts
    kept = {*column.words, *map(str, column.categories or ())}
    if column.type == "string" and not column.nullable:
        kept.add("")
    words = pa.array([word for word in missing if word not in kept], pa.string())
    told = texts if column.type == "string" else pc.utf8_trim_whitespace(texts)
    found = pc.is_in(told, words)
    if told is not texts:  # a category may consist of blanks
        found = pc.and_not(found, pc.is_in(texts, pa.array(sorted(kept), pa.string())))
    return pc.if_else(found, None, texts) if pc.any(found).as_py() else texts


def note_decimal_commas(column: Column, texts: Any, faults: Faults) -> None:
    """Note the rows in which a number has a decimal comma."""
    if column.type != "number" or texts.type != pa.string():
        return
    commas = pc.match_substring_regex(texts, rf"^\s*{DECIMAL_COMMA}\s*$").fill_null(False)
    for row in pc.indices_nonzero(commas).to_pylist():
        text = texts[row].as_py()[:40]
        what = f"{text!r} is not a number; use a decimal point"
        faults.setdefault(row, f"column {column.name!r}: {what}")
