"""The head of an Arrow stream: names of columns and number of rows, of a layout that is sound.

Decoded, a short stream may stand for any amount of memory: by compression, by lists within lists,
by columns that share bytes, and by texts that do. None of these is accepted, so what is left takes
its own size, but for dictionaries, which a worker bounds when it decodes them.
"""

import struct
from collections.abc import Iterator
from itertools import islice

import msgspec

from tasks.arrow.flat_table import FlatTable
from tasks.arrow.messages import (
    DICTIONARY_KIND,
    ROWS_KIND,
    SCHEMA_KIND,
    ArrowMessage,
    arrow_messages,
)
from tasks.arrow.own_bytes import OwnBytes
from telemetry.errors import Invalid, Malformed, TooLarge

ARROW = "application/vnd.apache.arrow.stream"
MAX_ARROW_COLUMNS = 2**17
MAX_ARROW_VALUES = 2**21
"""Rows times columns; as many values as a body of JSON may have."""
_SHORT, _LONG = struct.Struct("<h"), struct.Struct("<q")
_PAIR = struct.Struct("<qq")
_ENDIANNESS, _FIELDS, _METADATA = 0, 1, 2
"""Fields of a schema."""
_NAME, _CHILDREN = 0, 5
"""Fields of a column's description."""
_LENGTH, _NODES, _BUFFERS, _COMPRESSION = 0, 1, 2, 3
"""Fields of a batch of rows."""
_DATA = 1
"""Field of a dictionary."""


class ArrowRows(msgspec.Struct, frozen=True):
    """Rows as an Arrow stream whose head was read."""

    content: bytes
    names: tuple[str, ...]
    """Column names, in order."""
    count: int

    def __len__(self) -> int:
        return self.count


def read_arrow(content: bytes, max_rows: int = MAX_ARROW_VALUES) -> ArrowRows:
    """Read the head of a stream; raises `Malformed`, `Invalid` or `TooLarge`.

    The values are not read, so whether they are right is not known yet.
    """
    try:
        return _read(arrow_messages(content), content, max_rows)
    except (ValueError, struct.error) as error:
        raise Malformed(f"the body is not an Arrow stream: {error}") from error


def _read(messages: Iterator[ArrowMessage], content: bytes, max_rows: int) -> ArrowRows:
    schema = next(messages, None)
    if schema is None or schema.kind != SCHEMA_KIND:
        raise ValueError("the stream does not start with a schema")
    names, count = _names(schema.table, OwnBytes(len(content))), 0
    for message in messages:
        count += _checked_rows(message, len(names))
        _refuse_many(count, len(names), max_rows)
    return ArrowRows(content, names, count)


def _names(schema: FlatTable, own: OwnBytes) -> tuple[str, ...]:
    if schema.number(_ENDIANNESS, _SHORT):
        raise Invalid("an Arrow stream must be little-endian")
    own.count_metadata(schema, _METADATA)
    names = list[str]()
    for field in schema.tables(_FIELDS, MAX_ARROW_COLUMNS):
        own.count_column(field)
        names.append(field.text(_NAME))
        if field.tables(_CHILDREN, MAX_ARROW_COLUMNS):
            told = names[-1][:100]
            raise Invalid(f"column {told!r} holds lists or structs; send plain values")
    return tuple(names)


def _checked_rows(message: ArrowMessage, columns: int) -> int:
    """The number of rows that a message adds; raises unless its layout is sound."""
    if message.kind == DICTIONARY_KIND:
        dictionary = message.table.table(_DATA)
        if dictionary is None:
            raise ValueError("a dictionary has no values")
        _check_layout(dictionary, 1, message.body_size)
        return 0
    if message.kind != ROWS_KIND:
        raise ValueError(f"it has a message of kind {message.kind}")
    return _check_layout(message.table, columns, message.body_size)


def _check_layout(batch: FlatTable, columns: int, body_size: int) -> int:
    """The number of rows of a batch whose values lie one after the other within its bytes."""
    if batch.table(_COMPRESSION):
        raise Invalid("an Arrow stream must not be compressed")
    rows = batch.number(_LENGTH, _LONG)
    lengths = [length for length, _ in islice(batch.structs(_NODES, _PAIR), columns + 1)]
    if rows < 0 or len(lengths) != columns or any(length != rows for length in lengths):
        raise ValueError("the columns are not as long as the message says")
    # An empty buffer may be anywhere.
    used, end = (each for each in batch.structs(_BUFFERS, _PAIR) if each[1]), 0
    for start, size in used:
        if not end <= start <= start + size <= body_size:
            raise ValueError("values lie outside of their message, or overlap")
        end = start + size
    return rows


def _refuse_many(rows: int, columns: int, max_rows: int) -> None:
    if rows > max_rows:
        raise TooLarge(f"a request may have at most {max_rows} rows")
    if rows * columns > MAX_ARROW_VALUES:
        raise TooLarge(f"a request may have at most {MAX_ARROW_VALUES} values")
