"""Parquet read in spans equals the whole file, for any row groups; errors are reported."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.errors import InputChanged, InputUnreadable, InvalidInput
from tests.unit.workers.tables.parquet.parquet_files import AB, table_of, written
from tests.unit.workers.tables.sources import (
    MIXED,
    bad,
    blocks,
    by_position,
    features,
    file_on_failing_disk,
    source_of,
)
from workers.jobs.tables import sources
from workers.jobs.tables.sources import format_of
from workers.jobs.tables.spans import BadRow


@settings(max_examples=60, print_blob=True, deadline=None)
@given(st.integers(1, 300), st.integers(1, 120), st.integers(1, 400))
def test_rows_through_spans_are_the_rows_of_the_file(
    new_directory: Callable[[], Path], rows: int, group: int, span: int
) -> None:
    path = written(new_directory(), table_of(rows), group)
    read = blocks(path, "parquet", AB, span)
    whole = pq.read_table(path).select(["a", "b"]).to_pandas().to_numpy()
    assert np.array_equal(features(read), whole)
    assert [line for block in read for line in block.lines] == list(range(1, rows + 1))
    assert all(block.rows <= span * 1.25 for block in read)


def test_invalid_rows_are_bad_and_stop_nothing(tmp_path: Path) -> None:
    table = pa.table(
        {"a": [1, None, 3, 4], "b": [1.0, 2.0, np.inf, np.nan], "custom_id": ["p", "q", "r", "s"]}
    )
    (block,) = blocks(written(tmp_path, table), "parquet", AB, 100)
    assert block.features.whole().tolist() == [[1.0, 1.0]]
    assert block.good.tolist() == [0]
    assert [
        (row.line, row.custom_id, row.code) for row in sorted(block.bad, key=lambda r: r.line)
    ] == [
        (2, "q", "invalid_features"),
        (3, "r", "invalid_features"),
        (4, "s", "invalid_features"),
    ]
    assert "column 'b': infinity is not allowed here" in [row.message for row in block.bad]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (pa.array([7.0, None]), [7, None]),
        (pa.array([1.5, np.nan]), ["1.5", None]),
        (pa.array([2.0**70, np.inf]), ["1.1805916207174113e+21", "inf"]),
        (pa.array([2**63, 3], pa.uint64()), [2**63, 3]),
        (pa.array([True, False]), ["True", "False"]),
        (pa.array([0, 2**60], pa.timestamp("us")), ["1970-01-01 00:00:00", None]),
        (pa.array(["p" * 1000, ""]), ["p" * 200, ""]),
        (pa.array([b"\xe9", b"q"]), ["\N{REPLACEMENT CHARACTER}", "q"]),
    ],
)
def test_custom_id_of_any_type_becomes_text_or_a_whole_number(
    tmp_path: Path, given: pa.Array, told: list[object]
) -> None:
    path = written(tmp_path, pa.table({"custom_id": given, "a": [1, 2], "b": [None, np.inf]}))
    errors = msgspec.json.encode(bad(blocks(path, "parquet", AB, 9)))
    assert [row.custom_id for row in msgspec.json.decode(errors, type=list[BadRow])] == told


def test_mixed_columns_make_the_frame_that_single_predictions_make(tmp_path: Path) -> None:
    table = pa.table(
        {
            "vip": [True, False, None],
            "age": pa.array([1, None, 3], pa.int32()),
            "city": pa.array(["u", None, "v"]).dictionary_encode(),
        }
    )
    (block,) = blocks(written(tmp_path, table), "parquet", MIXED, 100)
    expected = pd.DataFrame(
        {
            "age": [1.0, np.nan],
            "city": pd.Series(["u", None], dtype="str"),
            "vip": [True, False],
        }
    )
    pd.testing.assert_frame_equal(block.features.whole(), expected)
    assert [row.line for row in block.bad] == [3]


def test_columns_go_by_position_where_the_model_has_no_names(tmp_path: Path) -> None:
    path = written(tmp_path, table_of(3).drop_columns("more"))
    assert features(blocks(path, "parquet", by_position(2), 2))[:, 1].tolist() == [0, 1, 2]
    with pytest.raises(InvalidInput, match="takes 3 columns by position, the file has 2"):
        source_of(path, "parquet", by_position(3))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"a": [1]}, "the file has no column 'b'; it has 'a'"),
        ({"a": [1], "b": ["x"]}, "column 'b': expected a number, got string"),
        ({"a": [1], "b": [True]}, "column 'b': expected a number, got bool"),
        ({"a": [1], "b": [[1.0]]}, "column 'b': expected a number, got list"),
        ({"a": pa.array([], pa.int64()), "b": pa.array([], pa.int64())}, "has no rows"),
    ],
)
def test_parquet_file_that_does_not_fit_is_refused(
    tmp_path: Path, table: dict, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        source_of(str(written(tmp_path, pa.table(table))), "parquet", AB)


def test_duplicate_column_names_are_refused(tmp_path: Path) -> None:
    values = pa.array([1.0])
    path = written(tmp_path, pa.Table.from_arrays([values, values], ["a", "a"]))
    with pytest.raises(InvalidInput, match="more than one column 'a'"):
        source_of(path, "parquet", by_position(2))


def test_parquet_file_that_is_broken_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path, table_of(5000), 5000).read_bytes()
    for broken in (b"", b"PAR1", whole[:-1000], whole[: len(whole) // 2], b"a,b\n1,2\n"):
        path = tmp_path / "broken.parquet"
        path.write_bytes(broken)
        with pytest.raises(InvalidInput, match="broken.parquet"):
            source_of(path, "parquet", AB)


def test_parquet_page_that_is_broken_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(table_of(5000), path, compression="zstd", write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[60:4000] = bytes(3940)
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="rows.parquet"):
        blocks(path, "parquet", AB, 1000)


def test_read_error_does_not_affect_later_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, pa.table({"a": np.random.rand(400_000), "b": np.arange(400_000.0)}))
    disk, file = file_on_failing_disk(path)
    monkeypatch.setattr(sources, "open_input", lambda _: file)
    source = source_of(path, "parquet", AB)
    first, second, third = source.spans(150_000)
    source.read(first)
    disk.fails = True
    with pytest.raises(InputUnreadable, match="Input/output error"):
        source.read(second)
    disk.fails = False
    for span in (third, second, first):
        assert source.read(span).features.whole()[:, 1].tolist() == [*range(span.start, span.stop)]


def test_invalid_utf8_is_refused(tmp_path: Path) -> None:
    octets = pa.array([b"\xe9"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 1, octets.buffers())
    path = written(tmp_path, pa.table({"age": [1], "city": text, "vip": [True]}))
    with pytest.raises(InvalidInput, match="can't decode byte 0xe9"):
        blocks(path, "parquet", MIXED, 10)


def test_parquet_file_that_changes_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, table_of(5000), 5000)
    source = source_of(path, "parquet", AB)
    first, second, *_ = source.spans(1000)
    source.read(first)
    written(tmp_path, table_of(4000), 4000)
    with pytest.raises(InputChanged):
        source.read(second)


def test_format_is_detected_from_the_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, table_of(1)).rename(tmp_path / "rows.bin")
    assert format_of(str(path)) == ("parquet", None)


def test_valid_file_has_no_bad_rows(tmp_path: Path) -> None:
    assert bad(blocks(written(tmp_path, table_of(100)), "parquet", AB, 30)) == []
