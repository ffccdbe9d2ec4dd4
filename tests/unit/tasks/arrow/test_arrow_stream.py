"""The head of an Arrow stream: what is read, and what is refused before it is decoded."""

import io
import random
import struct

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tasks.arrow import stream
from tasks.arrow.flat_buffer import FlatFields, FlatNumber, flat_buffer
from tasks.arrow.flat_table import FlatTable
from tasks.arrow.messages import MAX_MESSAGES, SCHEMA_KIND
from tasks.arrow.stream import read_arrow
from telemetry.errors import Invalid, Malformed, PredictqError, TooLarge

CATEGORIES = pl.Series(["p", "q"], dtype=pl.Categorical)
PLAIN = pa.table({"n": [1.5, None, 2.5], "t": ["a", "b", None], "i": [1, 2, 3]})


def written(*tables: pa.Table, **options: object) -> bytes:
    sink = pa.BufferOutputStream()
    how = pa.ipc.IpcWriteOptions(**options)
    with pa.ipc.new_stream(sink, tables[0].schema, options=how) as writer:
        for table in tables:
            writer.write_table(table)
    return sink.getvalue().to_pybytes()


def plain(name: str) -> pa.Field:
    return pa.field(name, pa.int8())


def by_polars(frame: pl.DataFrame) -> bytes:
    frame.write_ipc_stream(sink := io.BytesIO())
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "names", "rows"),
    [
        (written(PLAIN), ("n", "t", "i"), 3),
        (written(PLAIN, PLAIN.slice(1)), ("n", "t", "i"), 5),
        (written(PLAIN.slice(0, 0)), ("n", "t", "i"), 0),
        (written(pa.table({"ü": pa.nulls(2)})), ("ü",), 2),
        (written(PLAIN)[:-8], ("n", "t", "i"), 3),  # it need not say that it ends
        (
            written(pa.Table.from_pandas(pd.DataFrame({"c": pd.Categorical(["u", "v", "u"])}))),
            ("c",),
            3,
        ),
        (
            by_polars(pl.DataFrame({"t": ["x" * 50, "y"]}).with_columns(c=CATEGORIES)),
            ("t", "c"),
            2,
        ),
    ],
)
def test_names_and_rows_are_read(content: bytes, names: tuple[str, ...], rows: int) -> None:
    found = read_arrow(content, 10)
    assert (found.names, len(found), found.content) == (names, rows, content)


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (b"", Malformed, "does not start with a schema"),
        (b"{}", Malformed, "does not start with its marker"),
        (written(PLAIN)[:-100], Malformed, "ends within a message"),
        (written(PLAIN, compression="zstd"), Invalid, "compressed"),
        (written(PLAIN, compression="lz4"), Invalid, "compressed"),
        (written(pa.table({"l": [[1]]})), Invalid, "'l' holds lists or structs"),
        (written(pa.table({"s": [{"a": 1}]})), Invalid, "'s' holds lists or structs"),
        (written(pa.table({"n": range(11)})), TooLarge, "at most 10 rows"),
        (written(*[pa.table({"n": [1]})] * 11), TooLarge, "at most 10 rows"),
    ],
)
def test_other_streams_are_refused(content: bytes, error: type[PredictqError], told: str) -> None:
    with pytest.raises(error, match=told):
        read_arrow(content, 10)


def test_batches_are_counted() -> None:
    with pytest.raises(TooLarge, match="at most 1024 messages"):
        read_arrow(written(*[pa.table({"n": [1]})] * MAX_MESSAGES))


def test_values_without_bytes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_ARROW_VALUES", 19)
    with pytest.raises(TooLarge, match="at most 19 values"):
        read_arrow(written(pa.table({f"x{i}": pa.nulls(2) for i in range(10)})), 10)


def test_columns_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_ARROW_COLUMNS", 2)
    with pytest.raises(Malformed, match="too many"):
        read_arrow(written(PLAIN), 10)


LONG = "x" * 4096
PLACES = [f"k{index}" for index in range(9)]


def many(schema: pa.Schema) -> bytes:
    return written(schema.empty_table())


def shared(content: bytes, head: int, start: int, count: int) -> bytes:
    """The stream with each table of a list being its first one."""
    changed, places = bytearray(content), [head + start + 4 * index for index in range(count)]
    first = places[0] + struct.unpack_from("<I", content, places[0])[0]
    for place in places:
        struct.pack_into("<I", changed, place, first - place)
    return bytes(changed)


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (many(pa.schema([*map(plain, (LONG, *PLACES))])), 1),
        (many(pa.schema([pa.field("t", pa.timestamp("s", LONG)), *map(plain, PLACES)])), 1),
        (many(pa.schema([pa.field("a", pa.int8(), True, {"k": LONG}), *map(plain, PLACES)])), 1),
        (many(pa.schema([plain("a")], {"a": LONG, **dict.fromkeys(PLACES, "v")})), 2),
    ],
    ids=["name", "time zone", "metadata of a column", "metadata"],
)
def test_texts_that_share_their_bytes_are_refused(content: bytes, field: int) -> None:
    assert read_arrow(content, 10).names
    schema = FlatTable.root(content[8:]).table(2)
    assert schema is not None
    lies = schema._list(field)
    with pytest.raises(Malformed, match="share their bytes"):
        read_arrow(shared(content, 8, *lies), 10)


def test_metadata_of_a_message_has_its_own_bytes() -> None:
    sink, batch = pa.BufferOutputStream(), pa.record_batch({"a": [1]})
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch, {"a": LONG, **dict.fromkeys(PLACES, "v")})
    content = sink.getvalue().to_pybytes()
    head = 16 + struct.unpack_from("<I", content, 4)[0]
    lies = FlatTable.root(content[head:])._list(4)
    assert len(read_arrow(content, 10)) == 1
    with pytest.raises(Malformed, match="share their bytes"):
        read_arrow(shared(content, head, *lies), 10)


def test_big_endian_numbers_are_refused() -> None:
    byte, short, long = (struct.Struct(form) for form in ("<B", "<h", "<q"))
    schema = FlatFields((FlatNumber(short, 1), []))
    head = flat_buffer(
        FlatFields((None, FlatNumber(byte, SCHEMA_KIND), schema, FlatNumber(long, 0)))
    )
    with pytest.raises(Invalid, match="little-endian"):
        read_arrow(struct.pack("<Ii", 0xFFFFFFFF, len(head)) + head)


@pytest.mark.parametrize(("start", "size"), [(0, 2**40), (2**40, 8), (-8, 16), (0, -1), (0, 64)])
def test_values_outside_of_their_bytes_are_refused(start: int, size: int) -> None:
    """The second column's bytes are said to lie elsewhere, or where the first one's are."""
    content = written(pa.table({"a": np.arange(8.0), "b": np.arange(8.0)}))
    place, elsewhere = (struct.pack("<qqqq", 64, 0, *lies) for lies in ((64, 64), (start, size)))
    assert content.count(place) == 1
    with pytest.raises(Malformed, match="outside of their message, or overlap"):
        read_arrow(content.replace(place, elsewhere), 10)


def test_columns_of_other_lengths_are_refused() -> None:
    content = written(pa.table({"a": np.arange(8.0), "b": np.arange(8.0)}))
    changed = content.replace(struct.pack("<qqqq", 8, 0, 8, 0), struct.pack("<qqqq", 8, 0, 9, 0))
    with pytest.raises(Malformed, match="not as long"):
        read_arrow(changed, 10)


def test_any_bytes_are_read_or_refused() -> None:
    chance = random.Random(17)
    content = written(PLAIN, PLAIN)
    refused = 0
    for _ in range(2000):
        changed = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            read_arrow(bytes(changed), 10)
        except (Malformed, Invalid, TooLarge):
            refused += 1
    assert 0 < refused < 2000
