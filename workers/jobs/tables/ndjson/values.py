"""Values of NDJSON on their way to the output: as they were written, until a format needs more."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa


class _Json(pa.ExtensionType):  # type: ignore[misc]  # pyarrow has no types
    """Arrow has such a type, too, which files may have: that one stays what it is."""

    def __init__(self) -> None:
        super().__init__(pa.string(), "predictq.json")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> "_Json":
        return cls()


JSON = _Json()
"""The type of such columns; null stands for null, and for what a line does not have."""
pa.register_extension_type(JSON)
_encoder = msgspec.json.Encoder()
_KINDS = {int: "integer", float: "fraction", str: "text", bool: "truth"}
_TYPES = {
    "": pa.null(),
    "integer": pa.int64(),
    "fraction": pa.float64(),
    "fraction integer": pa.float64(),
    "truth": pa.bool_(),
}
"""What a column of such kinds is in Parquet; of all others, text."""


def column_of(values: Iterable[msgspec.Raw | None]) -> pa.ChunkedArray:
    """A column of the values of one name."""
    found = [None if value is None else _line(bytes(value)) for value in values]
    return pa.chunked_array([pa.ExtensionArray.from_storage(JSON, pa.array(found, pa.string()))])


def rewritten(value: Any) -> msgspec.Raw:
    """A value that was read by wider rules: null for numbers that JSON has no word for."""
    try:
        return msgspec.Raw(_encoder.encode(value))
    except OverflowError:  # an integer that is too large for msgspec
        return msgspec.Raw(_encoder.encode(str(value)))


def raw(column: pa.ChunkedArray) -> list[msgspec.Raw | None]:
    """For NDJSON: the values as they were."""
    return [None if text is None else msgspec.Raw(text.encode()) for text in column.to_pylist()]


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """For CSV, and to compare them: of text what it says, of all else the JSON."""
    found = [None if text is None else _text(text) for text in column.to_pylist()]
    return pa.chunked_array([pa.array(found, pa.string())])


def value_of(text: str) -> Any:
    """One value: a number, or what a text says; of all else the JSON."""
    value = msgspec.json.decode(text)
    return value if type(value) in (int, float, str) else text


def described(table: pa.Table) -> pa.Table:
    """The same with a word on each such column: which kinds of values it has."""
    fields = [
        field.with_metadata({"kinds": _kinds(column)}) if column.type == JSON else field
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return pa.table(table.columns, pa.schema(fields))


def settled(schemas: Sequence[pa.Schema]) -> list[pa.Schema]:
    """The same, with the type in Parquet that fits the values of all in place of this one."""
    kinds: dict[str, set[str]] = {}
    for field in (field for schema in schemas for field in schema if field.type == JSON):
        kinds.setdefault(field.name, set()).update(field.metadata[b"kinds"].decode().split())
    types = {name: _TYPES.get(" ".join(sorted(k)), pa.string()) for name, k in kinds.items()}

    def fitting(field: pa.Field) -> pa.Field:
        return pa.field(field.name, types[field.name]) if field.type == JSON else field

    return [pa.schema(map(fitting, schema)) for schema in schemas]


def cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns as the types of a schema; large integers are rounded beside fractions."""
    columns = [
        _typed(column, field.type) if column.type == JSON else column.cast(field.type, safe=False)
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.table(columns, schema)


def _typed(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_string(kind):
        return texts(column)
    decode = msgspec.json.Decoder(float if pa.types.is_floating(kind) else Any).decode
    values = [None if text is None else decode(text) for text in column.to_pylist()]
    return pa.chunked_array([pa.array(values, kind)])


def _kinds(column: pa.ChunkedArray) -> str:
    return " ".join({_kind(msgspec.json.decode(text)) for text in column.to_pylist() if text})


def _kind(value: Any) -> str:
    small = type(value) is not int or -(2**63) <= value < 2**63
    return _KINDS.get(type(value), "other") if small else "other"


def _line(value: bytes) -> str | None:
    """A return within JSON is space, and some take it for the end of a line."""
    return None if value == b"null" else value.replace(b"\r", b" ").decode()


def _text(text: str) -> str:
    return msgspec.json.decode(text, type=str) if text[:1] == '"' else text
