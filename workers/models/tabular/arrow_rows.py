"""Decodes rows that came as an Arrow stream; nothing that the stream says is trusted."""

import pyarrow as pa

from registry.columns.positions import column_positions
from registry.diagnosis import refuse
from registry.manifest import Signature
from tasks.arrow.stream import read_arrow
from telemetry.errors import Detail, Malformed
from workers.memory_limit import MAX_DECODED_BYTES, bounded
from workers.models.tabular.arrow_types import type_faults
from workers.models.tabular.features import Features, gather
from workers.models.tabular.table import Table

_OPTIONS = pa.ipc.IpcReadOptions(use_threads=False)


def table_of_arrow(signature: Signature, content: bytes) -> Table:
    """The rows of an Arrow stream as the model's table.

    Raises `Malformed`, `Invalid` or `TooLarge` for a stream that is not accepted,
    `InvalidFeatures` for columns or values that the model does not take, and `MemoryError`.
    """
    features = arrow_features(signature, content)
    refuse(
        Detail(("features", row), f"row {row + 1}, {what}", row)
        for row, what in sorted(features.faults.items())
    )
    return features.input


def arrow_features(signature: Signature, content: bytes) -> Features:
    """`table_of_arrow`, but with the errors of single rows beside the table of the others."""
    names = read_arrow(content).names
    positions = column_positions(signature, names)
    with bounded(MAX_DECODED_BYTES):
        table = _decoded(content)
        fields = [None if at is None else table.schema.field(at) for at in positions]
        refuse(type_faults(signature, fields))
        return gather(signature, [None if at is None else table.column(at) for at in positions])


def _decoded(content: bytes) -> pa.Table:
    try:
        table = pa.ipc.open_stream(content, options=_OPTIONS).read_all()
        # Otherwise an offset or an index may point anywhere in the memory of this process.
        table.validate(full=True)
    except MemoryError:  # one of Arrow's exceptions, too
        raise
    except (pa.ArrowException, OSError) as error:
        raise Malformed(f"the Arrow stream cannot be read: {error}") from error
    return table
