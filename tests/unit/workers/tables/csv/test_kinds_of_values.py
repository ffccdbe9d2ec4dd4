"""In every format, values of each type are accepted or reported, and errors stop nothing else."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.manifest import Column, Signature
from tasks.jobs.files.naming import FORMATS
from tasks.wire import encode
from telemetry.errors import InvalidInput
from tests.unit.workers.tables.sources import blocks, source_of, written

each_format = pytest.mark.parametrize("format", FORMATS)


def signature(**columns: Any) -> Signature:
    made = tuple(Column(name, **more) for name, more in columns.items())
    return Signature(made, named=True, frame=True, methods=("predict",))


def file_of(directory: Path, format: str, **columns: list[Any]) -> Path:
    frame = pd.DataFrame({name: pd.Series(v, dtype=object) for name, v in columns.items()})
    if format == "parquet":
        path = directory / "rows"
        pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), path)
        return path
    if format == "csv":
        return written(directory, frame.to_csv(index=False))
    rows = frame.where(frame.notna(), None).to_dict("records")
    return written(directory, b"".join(encode(row) + b"\n" for row in rows))


TEXTS = [
    ({"type": "datetime", "dtype": "datetime64[ns]"}, ["2026-01-02", "9999-12-31", "soon"]),
    (
        {"type": "datetime", "dtype": "datetime64[us, UTC]"},
        ["2026-01-02T00:00:00Z", "2026-01-02", "soon"],
    ),
    ({"type": "duration", "dtype": "timedelta64[ns]"}, ["1 days 02:00:00", "999999 days", "soon"]),
    ({"type": "date", "dtype": "object"}, ["2026-01-02", "2026-13-01", "soon"]),
    ({"type": "decimal", "dtype": "object"}, ["1.10", "NaN?", "soon"]),
]


@each_format
@pytest.mark.parametrize(("column", "texts"), TEXTS, ids=[c["type"] for c, _ in TEXTS])
def test_text_without_a_value_makes_a_bad_row(
    tmp_path: Path, format: str, column: dict[str, str], texts: list[str]
) -> None:
    path = file_of(tmp_path, format, c=[*texts, texts[0]], n=[1, 2, 3, 4])
    (block,) = blocks(path, format, signature(c=column, n={"dtype": "int64"}), 10)
    assert block.features.whole()["n"].tolist() == [1, 4]
    assert [index for index, _ in enumerate(texts) if index not in block.good] == [1, 2]
    assert [row.code for row in block.bad] == ["invalid_features"] * 2
    assert all(row.message.startswith("column 'c': ") for row in block.bad)


@pytest.mark.parametrize("format", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize(("column", "texts"), TEXTS[:4], ids=[c["type"] for c, _ in TEXTS[:4]])
def test_bad_values_beside_plain_columns(
    tmp_path: Path, format: str, column: dict[str, str], texts: list[str]
) -> None:
    path = file_of(tmp_path, format, c=[*texts, texts[0]], n=[1.0, 2.0, 3.0, 4.0])
    (block,) = blocks(path, format, signature(c=column, n={"dtype": "float64"}), 10)
    assert block.features.whole()["n"].tolist() == [1.0, 4.0]
    assert len(block.bad) == 2


@each_format
@pytest.mark.parametrize("dtype", ["int64", "uint8", "Int64", "int8"])
def test_whole_numbers_stay_whole_beside_bad_rows(tmp_path: Path, format: str, dtype: str) -> None:
    taken = signature(c={"dtype": dtype, "nullable": True})
    for others in ([], [0.5], [None], [1e300], [0.5, None]):
        path = file_of(tmp_path, format, c=[1, 100, *others])
        (block,) = blocks(path, format, taken, 10)
        parts = [*block.features.parts()]
        (mine,) = [frame for indices, frame in parts if indices is None or 0 in indices]
        assert mine["c"].tolist()[:2] == [1, 100]
        assert str(mine["c"].dtype) == dtype or (dtype == "Int64" and format == "csv")
        assert sum(len(frame) for _, frame in parts) == 2 + len(others)


@each_format
def test_categories_come_as_they_were(tmp_path: Path, format: str) -> None:
    taken = signature(
        c={"type": "category", "categories": ("v", "u"), "nullable": True},
        n={"type": "category", "categories": (3, 1)},
        b={"type": "category", "categories": (True, False)},
    )
    path = file_of(tmp_path, format, c=["u", "w", None], n=[1, 3, 7], b=[True, False, True])
    (block,) = blocks(path, format, taken, 10)
    frame = block.features.whole()
    assert frame["c"].cat.categories.tolist() == ["v", "u", "w"]
    assert frame["c"].isna().tolist() == [False, False, True]
    assert frame["n"].tolist() == [1, 3, 7]
    assert frame["b"].tolist() == [True, False, True]
    assert frame["b"].cat.categories.tolist() == [True, False]


@each_format
def test_unused_column_may_be_anything_or_absent(tmp_path: Path, format: str) -> None:
    taken = signature(a={}, u={"type": "any", "unused": True})
    for more in ({}, {"u": ["x", None]}, {"u": [1, 2]}):
        path = file_of(tmp_path, format, a=[1.5, 2.5], **more)
        (block,) = blocks(path, format, taken, 10, pass_through=True)
        assert block.features.whole()["a"].tolist() == [1.5, 2.5]
        assert block.features.whole()["u"].isna().all()
        assert block.bad == []
        assert block.carried.column_names == ["a", *more]
    with pytest.raises(InvalidInput, match="the file has no column 'a'; it has 'u'"):
        source_of(file_of(tmp_path, format, u=[1]), format, taken)


@each_format
def test_missing_value_of_each_kind(tmp_path: Path, format: str) -> None:
    taken = signature(
        f={"nullable": True, "dtype": "float64"},
        i={"nullable": True, "dtype": "Int64", "null": "na"},
        s={"type": "string", "nullable": True, "dtype": "str"},
        o={"type": "string", "nullable": True, "dtype": "object", "null": "none"},
        b={"type": "boolean", "nullable": True, "dtype": "boolean", "null": "na"},
        t={"type": "datetime", "nullable": True, "dtype": "datetime64[us]", "null": "nat"},
    )
    day, text = "2026-01-02", ["x", None]
    path = file_of(
        tmp_path, format, f=[1.5, None], i=[1, None], s=text, o=text, b=[True, None], t=[day, None]
    )
    (block,) = blocks(path, format, taken, 10)
    frame = block.features.whole()
    assert [str(frame[name][1]) for name in frame] == ["nan", "<NA>", "nan", "None", "<NA>", "NaT"]


@each_format
def test_booleans_are_numbers_without_a_sample(tmp_path: Path, format: str) -> None:
    path = file_of(tmp_path, format, a=[True, False], b=[1, 0])
    (block,) = blocks(path, format, signature(a={}, b={}), 10)
    assert block.features.whole()["a"].tolist() == [1.0, 0.0]
