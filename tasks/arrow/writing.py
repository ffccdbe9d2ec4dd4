"""Writes columns of JSON values as an Arrow stream."""

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

from tasks.arrow.columns import ArrowColumn, arrow_column
from tasks.arrow.flat_buffer import FlatFields, FlatNumber, FlatStructs, flat_buffer
from tasks.arrow.messages import ROWS_KIND, SCHEMA_KIND

_BYTE, _SHORT = struct.Struct("<B"), struct.Struct("<h")
_LONG, _PAIR = struct.Struct("<q"), struct.Struct("<qq")
_HEAD = struct.Struct("<Ii")
_CONTINUES = 0xFFFFFFFF
_VERSION = FlatNumber(_SHORT, 4)
"""Version 5 of Arrow's metadata, which it counts from 0."""


def write_arrow(columns: Mapping[str, Sequence[Any]], metadata: Mapping[str, str]) -> bytes:
    """A stream with one batch of rows; ``metadata`` is that of its schema.

    ``columns``: for each name a JSON value for each row.
    """
    written = {name: arrow_column(values) for name, values in columns.items()}
    rows = len(next(iter(columns.values()), ()))
    return b"".join((_schema(written, metadata), _batch(written, rows), _HEAD.pack(_CONTINUES, 0)))


def _schema(columns: Mapping[str, ArrowColumn], metadata: Mapping[str, str]) -> bytes:
    fields = [_field(name, column) for name, column in columns.items()]
    pairs = [FlatFields(pair) for pair in metadata.items()]
    return _message(SCHEMA_KIND, FlatFields((None, fields, pairs)), b"")


def _field(name: str, column: ArrowColumn) -> FlatFields:
    is_nullable, kind = FlatNumber(_BYTE, 1), FlatNumber(_BYTE, column.type.number)
    no_children: list[FlatFields] = []
    return FlatFields((name, is_nullable, kind, column.type.parameters, None, no_children))


def _batch(columns: Mapping[str, ArrowColumn], rows: int) -> bytes:
    buffers = [*chain.from_iterable(column.buffers for column in columns.values())]
    starts = accumulate((_padded(len(buffer)) for buffer in buffers), initial=0)
    lie = [(start, len(buffer)) for start, buffer in zip(starts, buffers, strict=False)]
    nodes = [(rows, column.nulls) for column in columns.values()]
    said = FlatFields((FlatNumber(_LONG, rows), FlatStructs(_PAIR, nodes), FlatStructs(_PAIR, lie)))
    return _message(
        ROWS_KIND, said, b"".join(buffer.ljust(_padded(len(buffer)), b"\0") for buffer in buffers)
    )


def _message(kind: int, said: FlatFields, body: bytes) -> bytes:
    head = flat_buffer(
        FlatFields((_VERSION, FlatNumber(_BYTE, kind), said, FlatNumber(_LONG, len(body))))
    )
    return _HEAD.pack(_CONTINUES, len(head)) + head + body


def _padded(size: int) -> int:
    return size + -size % 8
