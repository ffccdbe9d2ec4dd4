"""Parquet read in spans equals the whole file, for any row groups; errors are reported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.manifest import Column, Signature
from telemetry.errors import InputChanged, InputUnreadable, InvalidInput
from tests.unit.workers.tables.sources import (
    MIXED,
    bad,
    blocks,
    by_position,
    features,
    numbers,
    source_of,
    stumbling,
)
from workers.jobs.tables import sources
from workers.jobs.tables.parquet import shape as parquet_shape
from workers.jobs.tables.sources import format_of
from workers.jobs.tables.spans import MAX_SPAN, BadRow

AB = numbers("a", "b", dtype="float64")


def written(directory: Path, table: pa.Table, group: int = 1000) -> Path:
    path = directory / "rows.parquet"
    pq.write_table(table, path, row_group_size=group)
    return path


def table_of(rows: int) -> pa.Table:
    return pa.table({"b": np.arange(rows) / 7, "more": ["x"] * rows, "a": np.arange(rows)})


@settings(max_examples=60, print_blob=True, deadline=None)
@given(st.integers(1, 300), st.integers(1, 120), st.integers(1, 400))
def test_rows_through_spans_are_the_rows_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: int, group: int, span: int
) -> None:
    path = written(tmp_path_factory.mktemp("parquet"), table_of(rows), group)
    read = blocks(path, "parquet", AB, span)
    whole = pq.read_table(path).select(["a", "b"]).to_pandas().to_numpy()
    assert np.array_equal(features(read), whole)
    assert [line for block in read for line in block.lines] == list(range(1, rows + 1))
    assert all(block.rows <= span * 1.25 for block in read)


def test_spans_may_be_read_in_any_order(tmp_path: Path) -> None:
    path = written(tmp_path, table_of(100_000), 60_000)
    source = source_of(path, "parquet", AB)
    spans = list(source.spans(9000))
    for span in [*reversed(spans), *spans]:
        assert source.read(span).features.whole()[:, 0].tolist() == list(
            range(span.start, span.stop)
        )


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of rows decoded at a time."""
    decoded: list[int] = []
    original = pq.ParquetFile.iter_batches

    def counted(*arguments: Any, **more: Any) -> Iterator[pa.RecordBatch]:
        for batch in original(*arguments, **more):
            decoded.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    return decoded


def test_spans_that_are_read_in_order_decode_each_row_once(
    tmp_path: Path, decoded: list[int]
) -> None:
    source = source_of(written(tmp_path, table_of(100_000), 60_000), "parquet", AB)
    spans = list(source.spans(9000))
    for span in spans[::2]:  # other processes read the other spans
        source.read(span)
    assert sum(decoded) <= 100_000
    source.read(spans[0])
    assert sum(decoded) <= 109_000


def test_decoder_of_a_small_span_is_not_reused_for_a_large_one(
    tmp_path: Path, decoded: list[int]
) -> None:
    source = source_of(written(tmp_path, table_of(100_000), 100_000), "parquet", AB)
    source.read(next(source.spans(10)))
    second = list(source.spans(50_000))[1]
    assert source.read(second).features.whole()[:, 0].tolist() == list(range(50_000, 100_000))
    assert decoded == [10, 50_000, 50_000]


def test_a_span_ends_with_its_row_group_where_that_is_near(tmp_path: Path) -> None:
    source = source_of(str(written(tmp_path, table_of(1000), 110)), "parquet", AB)
    assert {span.start % 110 for span in source.spans(100)} == {0}


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
    assert "column 'b': the model takes no infinity here" in [row.message for row in block.bad]


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
def test_an_id_of_any_type_is_told_as_text_or_whole_number(
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
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, table: dict, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        source_of(str(written(tmp_path, pa.table(table))), "parquet", AB)


def test_two_columns_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    values = pa.array([1.0])
    path = written(tmp_path, pa.Table.from_arrays([values, values], ["a", "a"]))
    with pytest.raises(InvalidInput, match="more than one column 'a'"):
        source_of(path, "parquet", by_position(2))


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path, table_of(5000), 5000).read_bytes()
    for broken in (b"", b"PAR1", whole[:-1000], whole[: len(whole) // 2], b"a,b\n1,2\n"):
        path = tmp_path / "broken.parquet"
        path.write_bytes(broken)
        with pytest.raises(InvalidInput, match="broken.parquet"):
            source_of(path, "parquet", AB)


def test_a_broken_page_is_told_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(table_of(5000), path, compression="zstd", write_page_checksum=True)
    content = bytearray(path.read_bytes())
    content[60:4000] = bytes(3940)
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="rows.parquet"):
        blocks(path, "parquet", AB, 1000)


def test_a_read_that_failed_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, pa.table({"a": np.random.rand(400_000), "b": np.arange(400_000.0)}))
    disk, file = stumbling(path)
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


def test_strings_that_are_no_text_are_told(tmp_path: Path) -> None:
    octets = pa.array([b"\xe9"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 1, octets.buffers())
    path = written(tmp_path, pa.table({"age": [1], "city": text, "vip": [True]}))
    with pytest.raises(InvalidInput, match="can't decode byte 0xe9"):
        blocks(path, "parquet", MIXED, 10)


def test_a_file_that_changes_is_refused(tmp_path: Path) -> None:
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


def test_a_span_of_wide_rows_is_short(tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(1000)]
    table = pa.table({name: np.ones(20_000) for name in names})
    source = source_of(str(written(tmp_path, table, 20_000)), "parquet", numbers(*names))
    spans = list(source.spans(10**6))
    assert sum(span.rows for span in spans) == 20_000
    assert max(span.rows for span in spans) <= 1.25 * MAX_SPAN / 8000


def test_a_span_is_short_where_rows_take_little_room_in_the_file_alone(tmp_path: Path) -> None:
    table = pa.table({"a": np.zeros(20_000), "note": ["x" * 4096] * 20_000})
    path = written(tmp_path, table, 20_000)
    del table
    assert path.stat().st_size < MAX_SPAN / 100
    source = source_of(path, "parquet", numbers("a"), pass_through=True)
    first, *_ = source.spans(10**6)
    assert first.rows <= MAX_SPAN / 4096
    before = pa.total_allocated_bytes()
    block = source.read(first)
    assert block.carried is not None
    assert pa.total_allocated_bytes() - before < 2 * MAX_SPAN


def test_a_span_is_short_where_the_first_rows_alone_are_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_shape, "MAX_SPAN", 2**20)
    octets = np.random.default_rng(0).bytes(2**21)
    texts = [""] * 1000 + [octets[2048 * place :][:2048].hex() for place in range(1000)]
    path = written(tmp_path, pa.table({"a": np.zeros(2000), "the.note": texts}), 2000)
    source = source_of(path, "parquet", numbers("a"), pass_through=True)
    assert max(span.rows for span in source.spans(10**6)) <= 1.25 * 2**20 / 2048


@pytest.mark.parametrize("small", [0, 2000], ids=["from the first row on", "behind small ones"])
def test_a_few_bytes_that_stand_for_gigabytes_are_refused(tmp_path: Path, small: int) -> None:
    path, places = tmp_path / "bomb.parquet", np.ones(20_000, np.int32)
    places[:small] = 0
    texts = pa.DictionaryArray.from_arrays(pa.array(places), pa.array(["y", "x" * 2**20]))
    pq.write_table(pa.table({"a": texts}), path, compression="zstd", write_statistics=False)
    assert path.stat().st_size < 1000
    signature = Signature((Column("a", "string"),), True, False, ("predict",))
    source = source_of(path, "parquet", signature)
    with pytest.raises(InvalidInput, match="more than 1024 MiB once they are decoded"):
        _ = [source.read(span) for span in source.spans(1_000_000)]


def test_spans_are_as_short_as_the_largest_rows_of_any_group_demand(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    schema = pa.schema([("a", pa.string())])
    with pq.ParquetWriter(path, schema, use_dictionary=False, compression=None) as writer:
        for size in (1, 2**16):
            writer.write_table(pa.table({"a": ["x" * size] * 2000}, schema))
    signature = Signature((Column("a", "string"),), True, False, ("predict",))
    spans = [*source_of(path, "parquet", signature).spans(1_000_000)]
    assert max(span.rows for span in spans) * 2**16 <= 1.5 * MAX_SPAN
