"""Cuts an Arrow stream into its messages, each with the bytes that belong to it."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tasks.arrow.flat_table import FlatTable
from tasks.arrow.own_bytes import OwnBytes
from telemetry.errors import TooLarge

SCHEMA_KIND, DICTIONARY_KIND, ROWS_KIND = 1, 2, 3
"""Kinds of messages that a stream of rows may have."""
MAX_MESSAGES = 1024
"""Most messages of a stream: one for its schema, and one for each batch of rows or dictionary."""
_HEAD = struct.Struct("<Ii")
_CONTINUES = 0xFFFFFFFF
_BYTE, _LONG = struct.Struct("<B"), struct.Struct("<q")
_KIND, _CONTENT, _BODY_SIZE, _METADATA = 1, 2, 3, 4
"""Fields of a message."""


class ArrowMessage(NamedTuple):
    """One message of a stream."""

    kind: int
    table: FlatTable
    """The header of the message: a schema, a dictionary or a batch of rows."""
    body_size: int
    """Bytes of its values, which are not read here."""


def arrow_messages(content: bytes) -> Iterator[ArrowMessage]:
    """Yield the messages of a stream; raises `TooLarge`, and `ValueError` if it cannot be cut."""
    at = 0
    for _ in range(MAX_MESSAGES):
        if at == len(content):
            return
        continues, size = (
            _HEAD.unpack_from(content, at) if at + _HEAD.size <= len(content) else (0, 0)
        )
        if continues != _CONTINUES or size < 0:
            raise ValueError("a message does not start with its marker")
        at += _HEAD.size
        if size == 0:  # the end of the stream
            return
        message = _message(content[at : at + size])
        at += size + message.body_size
        if at > len(content):
            raise ValueError("the stream ends within a message")
        yield message
    raise TooLarge(f"an Arrow stream may have at most {MAX_MESSAGES} messages; join its batches")


def _message(head: bytes) -> ArrowMessage:
    root = FlatTable.root(head)
    OwnBytes(len(head)).count_metadata(root, _METADATA)
    content, body_size = root.table(_CONTENT), root.number(_BODY_SIZE, _LONG)
    if content is None or body_size < 0:
        raise ValueError("a message has no content, or a wrong size")
    return ArrowMessage(root.number(_KIND, _BYTE), content, body_size)
