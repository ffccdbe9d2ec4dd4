"""Predictions as columns, under the names that they have in the output of a batch job."""

from collections.abc import Sequence
from typing import Any

from registry.columns.output_names import column_names, output_classes, output_name
from registry.manifest import Signature

Columns = dict[str, Sequence[Any]]
"""Name → a JSON value for each row."""


def named_columns(signature: Signature | None, method: str, predictions: Sequence[Any]) -> Columns:
    """The predictions of all rows as columns.

    A row of several values has a column for each, and a row of several outputs one for each value
    of each. Rows of different lengths stay one column. ``signature``: None if it is not known; then
    columns have numbers in place of classes.
    """
    name, outputs = output_name(method), _turned(predictions)
    if outputs is None:
        return {name: predictions}
    classes = output_classes(signature, method) if signature else None
    turned = [_turned(output) for output in outputs]
    if not any(turned):
        return _columns(name, outputs, classes)
    found: Columns = {}
    for number, (output, columns) in enumerate(zip(outputs, turned, strict=True)):
        found |= _columns(f"{name}_{number}", [output] if columns is None else columns, None)
    return found


def _columns(name: str, columns: Sequence[Sequence[Any]], classes: Sequence[Any] | None) -> Columns:
    return dict(zip(column_names(name, len(columns), classes), columns, strict=True))


def _turned(rows: Sequence[Any]) -> list[tuple[Any, ...]] | None:
    """Rows that are lists of one length, column by column; None for any others."""
    if set(map(type, rows)) != {list} or len(set(map(len, rows))) != 1:
        return None
    return list(zip(*rows, strict=True))
