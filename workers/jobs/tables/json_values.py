"""Values of NDJSON on their way to the output: kept as written until a format needs more."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa


class _Json(pa.ExtensionType):  # type: ignore[misc]  # pyarrow has no types
    """Our own JSON type, separate from Arrow's, which Parquet inputs may use."""

    def __init__(self) -> None:
        super().__init__(pa.string(), "predictq.json")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type: pa.DataType, serialized: bytes) -> "_Json":
        return cls()


JSON = _Json()
"""Type of columns of JSON texts; null stands for null and for a name that a line lacks."""
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
"""Parquet type of a column, by the kinds of its values; any other mix becomes text."""


def column_of(values: Iterable[msgspec.Raw | None]) -> pa.ChunkedArray:
    """A column from the values of one name."""
    found = [None if value is None else _line(bytes(value)) for value in values]
    return pa.chunked_array([pa.ExtensionArray.from_storage(JSON, pa.array(found, pa.string()))])


def rewritten(value: Any) -> msgspec.Raw:
    """A tolerantly parsed value as strict JSON; NaN and infinities become null."""
    try:
        return msgspec.Raw(_encoder.encode(value))
    except OverflowError:  # an integer beyond 64 bits
        return msgspec.Raw(_encoder.encode(str(value)))


def raw(column: pa.ChunkedArray) -> list[msgspec.Raw | None]:
    """The column for NDJSON: its values as written."""
    return [None if text is None else msgspec.Raw(text.encode()) for text in column.to_pylist()]


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column for CSV and for comparing ids: strings without quotes, all else as JSON."""
    found = [None if text is None else _text(text) for text in column.to_pylist()]
    return pa.chunked_array([pa.array(found, pa.string())])


def value_of(text: str) -> Any:
    """One value: a number or string, all else as JSON text."""
    value = msgspec.json.decode(text)
    return value if type(value) in (int, float, str) else text


def with_kinds(table: pa.Table) -> pa.Table:
    """The table, with the kinds of values of each JSON column in the column's metadata."""
    fields = [
        field.with_metadata({"kinds": _kinds(column)}) if column.type == JSON else field
        for field, column in zip(table.schema, table.columns, strict=True)
    ]
    return pa.table(table.columns, pa.schema(fields))


def common_schemas(schemas: Sequence[pa.Schema]) -> list[pa.Schema]:
    """The schemas, with JSON columns replaced by the Parquet type that fits all parts' values."""
    kinds: dict[str, set[str]] = {}
    for field in (field for schema in schemas for field in schema if field.type == JSON):
        kinds.setdefault(field.name, set()).update(field.metadata[b"kinds"].decode().split())
    types = {name: _TYPES.get(" ".join(sorted(k)), pa.string()) for name, k in kinds.items()}

    def fitting(field: pa.Field) -> pa.Field:
        return pa.field(field.name, types[field.name]) if field.type == JSON else field

    return [pa.schema(map(fitting, schema)) for schema in schemas]


def cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns cast to a schema; integers among fractions become doubles, and may be rounded."""
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
    """The value on one line: to JSON a carriage return is a blank, to some readers a line end."""
    return None if value == b"null" else value.replace(b"\r", b" ").decode()


def _text(text: str) -> str:
    return msgspec.json.decode(text, type=str) if text[:1] == '"' else text
