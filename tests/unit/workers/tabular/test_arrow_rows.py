"""Rows in Arrow become the model's table, or are refused: by whatever a stream may hold."""

import struct

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from registry.manifest import Column, Signature
from telemetry.errors import InvalidFeatures, Malformed, TooLarge
from workers.memory_limit import MAX_DECODED_BYTES
from workers.models.tabular.arrow_rows import table_of_arrow

FRAME = Signature(
    (Column("n", dtype="float64"), Column("t", "string", nullable=True, null="none")),
    named=True,
    frame=True,
    methods=("predict",),
)
TEXTS = Signature((Column("t", "category", categories=("a", "b")),), True, True, ("predict",))


def written(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def test_batches_and_other_columns_are_joined_into_the_models_table() -> None:
    piece = pa.table({"more": [1], "t": ["x"], "n": [1.5]})
    other = pa.table({"more": [2], "t": pa.nulls(1, pa.string()), "n": [2.5]})
    rows = pa.concat_tables([piece, other])
    found = table_of_arrow(FRAME, written(rows)).whole()
    expected = pd.DataFrame({"n": [1.5, 2.5], "t": pd.Series(["x", None], dtype=object)})
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_refused_values_are_told_with_their_rows() -> None:
    rows = pa.table({"n": [1.0, None, np.inf], "t": ["x"] * 3})
    told = r"row 2, column 'n': a missing .* \(and 1 more\)"
    with pytest.raises(InvalidFeatures, match=told) as refused:
        table_of_arrow(FRAME, written(rows))
    assert [(detail.row, detail.loc) for detail in refused.value.errors] == [
        (1, ("features", 1)),
        (2, ("features", 2)),
    ]


def test_column_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidFeatures, match="column 'n': expected a number, got string"):
        table_of_arrow(FRAME, written(pa.table({"n": ["x"], "t": ["x"]})))


def test_offsets_and_indices_that_lead_elsewhere_are_refused() -> None:
    """Unchecked, they would read anything in this process's memory."""
    texts = written(pa.table({"n": [1.0] * 3, "t": ["aa", "bb", "cc"]}))
    wild = texts.replace(struct.pack("<iiii", 0, 2, 4, 6), struct.pack("<iiii", 0, 2, 2**30, 6))
    assert wild != texts
    with pytest.raises(Malformed, match="cannot be read"):
        table_of_arrow(FRAME, wild)
    coded = written(pa.table({"t": pa.array(["a", "b", "a", "b"]).dictionary_encode()}))
    wild = coded.replace(struct.pack("<iiii", 0, 1, 0, 1), struct.pack("<iiii", 0, 1, 2**30, 1))
    assert wild != coded
    with pytest.raises(Malformed, match="cannot be read"):
        table_of_arrow(TEXTS, wild)


def test_text_that_is_no_utf8_is_refused() -> None:
    content = written(pa.table({"n": [1.0], "t": ["abcdef"]})).replace(b"abcdef", b"\xffbcdef")
    with pytest.raises(Malformed, match="cannot be read"):
        table_of_arrow(FRAME, content)


@pytest.mark.unmeasured
def test_long_text_behind_many_indices_does_not_take_the_memory(monkeypatch) -> None:
    monkeypatch.setattr("workers.models.tabular.arrow_rows.MAX_DECODED_BYTES", 2**28)
    coded = pa.DictionaryArray.from_arrays(np.zeros(10_000, np.int8), ["x" * 2**20])
    with pytest.raises(TooLarge, match="more than 256 MiB"):
        table_of_arrow(TEXTS, written(pa.table({"t": coded})))


@pytest.mark.unmeasured
def test_process_that_lacks_memory_does_not_blame_the_stream(monkeypatch) -> None:
    monkeypatch.setattr("workers.models.tabular.arrow_rows.MAX_DECODED_BYTES", 2**28)
    monkeypatch.setattr("workers.models.tabular.arrow_rows.may_grow", lambda _: False)
    coded = pa.DictionaryArray.from_arrays(np.zeros(10_000, np.int8), ["x" * 2**20])
    with pytest.raises(MemoryError):
        table_of_arrow(TEXTS, written(pa.table({"t": coded})))


@pytest.mark.parametrize(("can_grow", "error"), [(True, TooLarge), (False, MemoryError)])
def test_lack_of_memory_is_the_streams_fault_if_the_process_may_grow(
    can_grow: bool, error: type[Exception], monkeypatch
) -> None:
    def exhausted(*_: object) -> None:
        raise MemoryError

    def may_grow(growth: int) -> bool:
        assert growth == MAX_DECODED_BYTES
        return can_grow

    monkeypatch.setattr("workers.models.tabular.arrow_rows.gather", exhausted)
    monkeypatch.setattr("workers.models.tabular.arrow_rows.may_grow", may_grow)
    with pytest.raises(error):
        table_of_arrow(FRAME, written(pa.table({"n": [1.0], "t": ["x"]})))


@pytest.mark.parametrize(
    "values",
    [
        pa.array([2**30], pa.int32()).cast(pa.date32()),
        pa.array([0], pa.timestamp("us", "Nowhere/Else")),
    ],
)
def test_value_that_python_cannot_hold_is_refused(values: pa.Array) -> None:
    signature = Signature((Column("t", "any"),), True, True, ("predict",))
    with pytest.raises(Malformed, match="cannot be read"):
        table_of_arrow(signature, written(pa.table({"t": values})))
