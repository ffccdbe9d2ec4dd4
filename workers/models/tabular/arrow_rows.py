"""Decodes rows that came as an Arrow stream; nothing that the stream says is trusted."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from registry.columns.positions import column_positions
from registry.manifest import Signature
from registry.rows.diagnosis import refuse
from tasks.arrow.stream import read_arrow
from telemetry.errors import Detail, Malformed, PredictqError, TooLarge
from telemetry.tracebacks import error_text
from workers.memory_limit import MAX_DECODED_BYTES, bounded, may_grow
from workers.models.tabular.arrow_types import type_faults
from workers.models.tabular.features import Features, gather
from workers.models.tabular.table import Table

_OPTIONS = pa.ipc.IpcReadOptions(use_threads=False)


def table_of_arrow(signature: Signature, content: bytes) -> Table:
    """The rows of an Arrow stream as the model's table.

    Raises `Malformed`, `Invalid` or `TooLarge` for a stream that is not accepted,
    `InvalidFeatures` for columns or values that the model does not take, and `MemoryError` if this
    process lacks memory.
    """
    features = arrow_features(signature, content)
    refuse(
        Detail(("features", row), f"row {row + 1}, {what}", row)
        for row, what in sorted(features.faults.items())
    )
    return features.input


def arrow_features(signature: Signature, content: bytes) -> Features:
    """`table_of_arrow`, but with the errors of single rows beside the table of the others."""
    positions = column_positions(signature, read_arrow(content).names)
    can_grow = may_grow(MAX_DECODED_BYTES)
    with _refusing(is_too_large=can_grow), bounded(MAX_DECODED_BYTES):
        table = pa.ipc.open_stream(content, options=_OPTIONS).read_all()
        # Otherwise an offset or an index may point anywhere in the memory of this process.
        table.validate(full=True)
        fields = [None if at is None else table.schema.field(at) for at in positions]
        refuse(type_faults(signature, fields))
        return gather(signature, [None if at is None else table.column(at) for at in positions])


@contextmanager
def _refusing(*, is_too_large: bool) -> Iterator[None]:
    """``is_too_large``: whether a lack of memory is the stream's fault, and not this process's."""
    try:
        yield
    except PredictqError:
        raise
    except MemoryError as error:
        if not is_too_large:
            raise
        # Its head was read, and tells its size; but each index of a dictionary may be a long text.
        most = MAX_DECODED_BYTES // 2**20
        raise TooLarge(f"decoded, the Arrow stream takes more than {most} MiB") from error
    except Exception as error:  # Arrow, decimals, calendars and time zones have errors of their own
        raise Malformed(f"the Arrow stream cannot be read: {error_text(error)}") from error
