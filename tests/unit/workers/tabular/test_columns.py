"""A model gets each column in the dtype that it was trained on."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.manifest import Column, Signature
from registry.rows.validation import rows as validated
from tasks.wire import decode, encode
from tests.unit.workers.tabular.series import FULL, GAPPY, WHOLE
from workers.models.signature.describing import described_column
from workers.models.signature.wire import wire_value
from workers.models.tabular.columns import array_of, is_float, is_whole
from workers.models.tabular.dtypes import cast_to_dtype
from workers.models.tabular.table import Table

ALL = [*FULL.items(), *((f"{name}, gappy", series) for name, series in GAPPY.items())]
FLOATS = "", "float64", "float32", "float16"
DAY = date(2026, 1, 2)
each = pytest.mark.parametrize("series", [s for _, s in ALL], ids=[name for name, _ in ALL])


def encoded_and_validated(series: pd.Series, columns: tuple[Column, ...]) -> list[list[object]]:
    signature = Signature(columns, True, True, ("predict",))
    sent = decode(encode([[wire_value(value)] * len(columns) for value in series]))
    return validated(signature, sent)


def same(found: pd.Series, series: pd.Series) -> None:
    pd.testing.assert_series_equal(found, series, check_names=False, check_exact=True)
    if series.dtype == object:  # here the kind of missing value counts, and 1 is not 1.0
        assert [(type(v), str(v)) for v in found] == [(type(v), str(v)) for v in series]


def met_as_series(column: Column, values: list[Any]) -> pd.Series:
    array = cast_to_dtype(column, array_of(column, values))
    return pd.Series(array, dtype=array.dtype)


@each
def test_column_of_each_dtype_is_unchanged(series: pd.Series) -> None:
    column = described_column("c", series, [])
    sent = [row[0] for row in encoded_and_validated(series, (column,))]
    same(met_as_series(column, sent), series)


@each
def test_rows_by_themselves_have_the_same_dtype(series: pd.Series) -> None:
    column = described_column("c", series, [])
    signature = Signature((column,), True, True, ("predict",))
    for index, row in enumerate(encoded_and_validated(series, (column,))):
        ((indices, frame),) = Table.of(signature, [row]).parts()
        assert indices is None
        same(frame["c"], series.iloc[[index]].reset_index(drop=True))


@each
def test_column_is_the_same_beside_others(series: pd.Series) -> None:
    column = described_column("c", series, [])
    columns = (column, replace(column, name="d"), Column("u", unused=True))
    signature = Signature(columns, True, True, ("predict",))
    sent = [[*row[:2], None] for row in encoded_and_validated(series, columns)]
    ((_, frame),) = Table.of(signature, sent).parts()
    same(frame["c"], series)
    same(frame["d"], series)
    assert frame["u"].dtype == float
    assert frame["u"].isna().all()


@pytest.mark.parametrize("dtype", WHOLE)
def test_whole_numbers_beyond_the_dtype_make_doubles(dtype: str) -> None:
    column = Column("c", dtype=dtype)
    for value in (2**70, -(2**70)):
        found = cast_to_dtype(column, array_of(column, [value]))
        assert (str(found.dtype), found.tolist()) == ("float64", [float(value)])


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_are_exact(values: list[int]) -> None:
    column = Column("c", dtype="int64")
    assert cast_to_dtype(column, array_of(column, values)).tolist() == values
    assert pd.Series(cast_to_dtype(column, array_of(column, [*map(float, values)]))).dtype in (
        "int64",
        "float64",  # rounding took a value beyond the dtype
    )


@pytest.mark.parametrize(
    ("column", "value", "dtype", "expected"),
    [
        (Column("c", dtype="int64"), 2.0, "int64", 2),
        (Column("c", dtype="int64"), 2.5, "float64", 2.5),
        (Column("c", dtype="float64"), 2, "float64", 2.0),
        (Column("c"), True, "float64", 1.0),
        (Column("c", dtype="Int64"), 2, "Int64", 2),
        (Column("c", dtype="float32"), 0.1, "float32", 0.1),
        (Column("c", "decimal"), 0.1, "object", 0.1),
        (
            Column("c", "datetime", dtype="datetime64[ns, UTC]"),
            "2026-01-02T01:00:00+01:00",
            "datetime64[ns, UTC]",
            pd.Timestamp("2026-01-02", tz="UTC"),
        ),
        (Column("c", "datetime"), "2026-01-02", "datetime64[ns]", pd.Timestamp("2026-01-02")),
        (Column("c", "duration"), "1h", "timedelta64[ns]", pd.Timedelta("1h")),
        (Column("c", "boolean"), True, "bool", True),
        (Column("c", "string"), "a", "str", "a"),
        (Column("c", "string", null="none"), "a", "object", "a"),
    ],
)
def test_value_of_another_type_is_converted_to_the_dtype(
    column: Column, value: object, dtype: str, expected: object
) -> None:
    series = met_as_series(column, [value])
    assert str(series.dtype) == dtype
    assert str(series[0]) == str(expected)


@pytest.mark.parametrize(
    ("column", "values", "dtype", "expected"),
    [
        *((Column("c", dtype=name), [1, None], "float64", [1.0, math.nan]) for name in FLOATS),
        (Column("c", dtype="int8"), [1, 2], "int8", [1, 2]),
        (Column("c", dtype="int8"), [1, None], "object", [1, None]),
        (Column("c", dtype="int8"), [1, 1000], "object", [1, 1000]),
        (Column("c", dtype="Int8"), [1, math.nan], "object", [1, None]),
        (Column("c", "boolean", dtype="bool"), [True, False], "bool", [True, False]),
        (Column("c", "boolean", dtype="bool"), [True, None], "object", [True, None]),
        (Column("c", "boolean", dtype="object"), [True, False], "object", [True, False]),
        (Column("c", "any"), ["a", math.nan, None], "object", ["a", None, None]),
        (Column("c", "date"), [datetime(2026, 1, 2, 3, tzinfo=UTC), None], "object", [DAY, None]),
        (Column("c", "date"), [DAY, "2026-01-02"], "object", [DAY, DAY]),
        (Column("c", "decimal"), ["1.10", math.nan], "object", [Decimal("1.10"), None]),
    ],
)
def test_array_has_the_dtype_that_holds_all_values(
    column: Column, values: list[Any], dtype: str, expected: list[Any]
) -> None:
    array = array_of(column, values)
    assert str(array.dtype) == dtype
    assert repr(array.tolist()) == repr(expected)


@pytest.mark.parametrize(
    ("dtype", "values", "kept", "expected"),
    [
        ("ns", ["2026-01-02", "2026-01-02T03:04:05.5"], "ns", [" 00:00:00", " 03:04:05.500000"]),
        ("s", ["2026-01-02T03:04:05", None], "s", [" 03:04:05", "NaT"]),
        ("s", ["2026-01-02T03:04:05.5", None], "us", [" 03:04:05.500000", "NaT"]),
        (
            "s, UTC",
            ["2026-01-02", "2026-01-02T03:04:05+01:00"],
            "s, UTC",
            [" 00:00:00+00:00", " 02:04:05+00:00"],
        ),
        (
            "s, Europe/Berlin",
            ["2026-01-02T03:04:05.5Z"],
            "us, Europe/Berlin",
            [" 04:04:05.500000+01:00"],
        ),
    ],
)
def test_times_of_several_forms_keep_their_precision(
    dtype: str, values: list[str | None], kept: str, expected: list[str]
) -> None:
    array = array_of(Column("c", "datetime", dtype=f"datetime64[{dtype}]"), values)
    assert str(array.dtype) == f"datetime64[{kept}]"
    assert [str(time).removeprefix("2026-01-02") for time in array] == expected


def test_dtypes_are_found_by_name() -> None:
    assert [name for name in FULL if is_whole(str(FULL[name].dtype))] == WHOLE
    assert is_float(Column("c"))
    assert is_float(Column("c", dtype="float64"))
    assert not any(is_float(Column("c", dtype=name)) for name in ("float32", "int64", "Float64"))
    assert not is_float(Column("c", "boolean"))
