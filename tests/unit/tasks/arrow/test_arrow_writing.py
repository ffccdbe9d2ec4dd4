"""Columns of JSON values as an Arrow stream, read by Arrow's library."""

from typing import Any

import pyarrow as pa
import pytest

from tasks.arrow.stream import read_arrow
from tasks.arrow.writing import write_arrow


def read(content: bytes) -> pa.Table:
    table = pa.ipc.open_stream(content).read_all()
    table.validate(full=True)
    return table


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 2, -(2**63)], pa.int64(), None),
        ([1, None], pa.int64(), None),
        ([0.1, -0.0, 1e300, None], pa.float64(), None),
        ([1, 2.5, None], pa.float64(), [1.0, 2.5, None]),
        ([1.5, "Infinity", "-Infinity"], pa.float64(), [1.5, float("inf"), -float("inf")]),
        (["Infinity", None, "-Infinity"], pa.float64(), [float("inf"), None, -float("inf")]),
        (["Infinity", "a"], pa.string(), None),
        ([True, False, None] * 7, pa.bool_(), None),
        (["a", "", "ü", None], pa.string(), None),
        ([None, None], pa.float64(), None),
        ([], pa.float64(), None),
        ([1, "a", None], pa.string(), ["1", '"a"', None]),
        ([1.5, "a"], pa.string(), ["1.5", '"a"']),
        ([2**63, 1], pa.string(), ["9223372036854775808", "1"]),
        ([1.0, 10**400], pa.string(), ["1.0", str(10**400)]),
        ([[1], [1, 2], None], pa.string(), ["[1]", "[1,2]", None]),
        ([True, 1], pa.string(), ["true", "1"]),
    ],
)
def test_values_have_a_type_in_common(
    values: list[Any], kind: pa.DataType, expected: list[Any] | None
) -> None:
    table = read(write_arrow({"a": values}, {}))
    assert table.schema.field("a").type == kind
    assert repr(table["a"].to_pylist()) == repr(values if expected is None else expected)


def test_columns_and_metadata_are_kept() -> None:
    columns = {"n": [1.5, 2.5], "text of any length": ["a", None], "t": [True, False]}
    content = write_arrow(columns, {"key": "välue", "": ""})
    table = read(content)
    assert table.to_pydict() == columns
    assert table.schema.metadata == {b"key": "välue".encode(), b"": b""}
    assert (read_arrow(content).names, len(read_arrow(content))) == (tuple(columns), 2)


def test_stream_without_columns_is_read() -> None:
    assert read(write_arrow({}, {})).num_columns == 0
