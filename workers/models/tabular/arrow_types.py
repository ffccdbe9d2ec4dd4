"""The types of Arrow that each column of a model takes."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from registry.manifest import Column, Signature
from registry.rows.diagnosis import MAX_DETAILS
from registry.rows.values import expected
from telemetry.errors import Detail

_NUMBER = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_STRING = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BOOLEAN = (pa.types.is_boolean,)
_DATE = (pa.types.is_date,)
_TIME = (pa.types.is_timestamp,)
_DURATION = (pa.types.is_duration,)
_MATCHES: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "number": _NUMBER,
    "string": _STRING,
    "boolean": _BOOLEAN,
    "category": _NUMBER + _STRING + _BOOLEAN,
    "datetime": _TIME + _DATE + _STRING,
    "duration": _DURATION + _STRING,
    "date": _DATE + _TIME + _STRING,
    "decimal": _NUMBER + _STRING,
    "any": _NUMBER + _STRING + _BOOLEAN + _DATE + _TIME + _DURATION,
}


def type_faults(signature: Signature, fields: Sequence[pa.Field | None]) -> list[Detail]:
    """The first `MAX_DETAILS` columns of a type that the model does not take.

    ``fields`` are in the signature's order; None for an unused column that is not there.
    """
    return [
        Detail(
            (field.name,), f"column {field.name!r}: expected {expected(column)}, got {field.type}"
        )
        for column, field in zip(signature.columns, fields, strict=True)
        if field is not None and not _takes(column, field.type)
    ][:MAX_DETAILS]


def _takes(column: Column, kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if column.unused or pa.types.is_null(kind):
        return True
    if column.type == "number" and not column.dtype and pa.types.is_boolean(kind):
        return True
    return any(matches(kind) for matches in _MATCHES[column.type])
