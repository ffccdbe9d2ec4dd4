"""Texts in CSV columns that mean a missing value."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from registry.manifest import Column


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
