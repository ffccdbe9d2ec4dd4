"""Values of frames and arrays are sent as exact JSON."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from predictq.rows.rows import features

NANO = "2026-01-02T12:00:00.000000001"
NOON = "2026-01-02T12:00:00"
NAIVE = datetime.fromisoformat(NOON)
BERLIN = "Europe/Berlin"
THIRD = np.float32(1 / 3)


def column(values):
    """The JSON of a frame's column."""
    return [row["a"] for row in json.loads(json.dumps(features(values), allow_nan=False))]


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (pd.array([1.5, np.nan], "float64"), [1.5, None]),
        (np.array([THIRD, np.nan], "float32"), [float(THIRD), None]),
        (np.array([2, -1], "int8"), [2, -1]),
        (np.array([2**64 - 1], "uint64"), [2**64 - 1]),
        (np.array([True, False]), [True, False]),
        (pd.array([2**53 + 1, None], "Int64"), [2**53 + 1, None]),
        (pd.array([1.5, None], "Float64"), [1.5, None]),
        (pd.array([True, None], "boolean"), [True, None]),
        (pd.array(["x", None], "string"), ["x", None]),
        (pd.Series(["x", None], dtype="str"), ["x", None]),
        (
            pd.Series([1, "x", None, pd.NA, pd.NaT, np.nan, 2.5, True], dtype=object),
            [1, "x", None, None, None, None, 2.5, True],
        ),
        (pd.Categorical(["x", None, "y"]), ["x", None, "y"]),
        (pd.Categorical([3, 1, None], ordered=True), [3, 1, None]),
        (pd.Categorical(pd.to_datetime(["2026-01-02T12"])), [NOON]),
        (np.array([NANO, "NaT"], "datetime64[ns]"), [NANO, None]),
        (pd.Series(["2026-01-02T12:00:00.5"], dtype="datetime64[ms]"), [NOON + ".500000"]),
        (pd.Series([NOON], dtype="datetime64[s]"), [NOON]),
        (pd.Series([pd.Timestamp(NANO, tz=BERLIN), None]), [NANO + "+01:00", None]),
        (pd.to_timedelta([NANO[-12:].replace("T", ""), None], errors="coerce"), [None, None]),
        (pd.to_timedelta(["1 days 02:00:03.000000001", None]), ["P1DT2H0M3.000000001S", None]),
        (pd.Series([timedelta(seconds=-1.5)], dtype=object), ["-P0DT0H0M1.5S"]),
        (pd.Series([date(2026, 1, 2), time(12, 30)]), ["2026-01-02", "12:30:00"]),
        (pd.Series([Decimal("0.1"), Decimal(10**20), Decimal("NaN")]), [0.1, 10**20, None]),
        (pd.period_range("2026-01", periods=2, freq="M"), ["2026-01", "2026-02"]),
        (pd.arrays.IntervalArray.from_breaks([0, 1]), ["(0, 1]"]),
        (pd.arrays.SparseArray([0, 1.5, np.nan]), [0.0, 1.5, None]),
        (pd.array([1, None], "int64[pyarrow]"), [1, None]),
        (pd.array([NANO, None], "timestamp[ns][pyarrow]"), [NANO, None]),
    ],
    ids=lambda values: str(getattr(values, "dtype", ""))[:24],
)
def test_columns_of_pandas(values, sent):
    assert column(pd.DataFrame({"a": values})) == sent
    assert features(pd.Series(values)) == sent
    assert [type(value) for value in features(pd.Series(values))] == [type(s) for s in sent]


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (pl.Series([1.5, None, float("nan")]), [1.5, None, None]),
        (pl.Series([float(THIRD)], dtype=pl.Float32), [float(THIRD)]),
        (pl.Series([2**63, None], dtype=pl.UInt64), [2**63, None]),
        (pl.Series([True, None]), [True, None]),
        (pl.Series(["x", None], dtype=pl.Categorical), ["x", None]),
        (pl.Series(["x"], dtype=pl.Enum(["x", "y"])), ["x"]),
        (pl.Series([NANO, None]).str.to_datetime(time_unit="ns"), [NANO, None]),
        (pl.Series([datetime(2026, 1, 2, 12, tzinfo=ZoneInfo(BERLIN))]), [NOON + "+01:00"]),
        (pl.Series([NAIVE], dtype=pl.Datetime("ms")), [NOON]),
        (pl.Series([1], dtype=pl.Duration("ns")), ["P0DT0H0M0.000000001S"]),
        (pl.Series([timedelta(days=1, hours=2), None]), ["P1DT2H0M0S", None]),
        (pl.Series([date(2026, 1, 2), None]), ["2026-01-02", None]),
        (pl.Series([time(12, 30), None]), ["12:30:00", None]),
        (pl.Series([Decimal("0.10"), None]), [0.1, None]),
        (pl.Series([None, None]), [None, None]),
    ],
    ids=lambda values: str(getattr(values, "dtype", ""))[:24],
)
def test_columns_of_polars(values, sent):
    assert column(pl.DataFrame({"a": values})) == sent
    assert features(values) == sent


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (pa.array([1.5, None, float("nan")]), [1.5, None, None]),
        (pa.array([THIRD], pa.float32()), [float(THIRD)]),
        (pa.array([2**63, None], pa.uint64()), [2**63, None]),
        (pa.array(["x", None]).dictionary_encode(), ["x", None]),
        (pa.array([NAIVE, None], pa.timestamp("us")), [NOON, None]),
        (pa.array([pd.Timestamp(NANO)], pa.timestamp("ns")), [NANO]),
        (
            pa.array([datetime(2026, 1, 2, 11, tzinfo=UTC)], pa.timestamp("s", BERLIN)),
            [NOON + "+01:00"],
        ),
        (pa.array([1], pa.duration("ns")), ["P0DT0H0M0.000000001S"]),
        (pa.array([1, None], pa.time64("ns")), ["00:00:00.000000001", None]),
        (pa.array([date(2026, 1, 2)]), ["2026-01-02"]),
        (pa.array([Decimal("0.10"), None]), [0.1, None]),
        (pa.array([None]), [None]),
    ],
    ids=lambda values: str(getattr(values, "type", ""))[:24],
)
def test_columns_of_arrow(values, sent):
    assert column(pa.table({"a": values})) == sent
    assert column(pa.RecordBatch.from_arrays([values], ["a"])) == sent
    assert features(values) == sent


RECORDS = np.dtype([("a", "i4"), ("when", "M8[ns]"), ("part", "f4")])


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (np.array([[THIRD, np.inf]], "float32"), [[float(THIRD), np.inf]]),
        (np.array([THIRD, np.nan], "float16"), [float(np.float16(THIRD)), None]),
        (np.array([0.5, np.nan], np.longdouble), [0.5, None]),
        (np.longdouble(0.5), 0.5),
        (np.array([[1, None], ["x", np.nan]], object), [[1, None], ["x", None]]),
        (np.array(["x", "y"]), ["x", "y"]),
        (np.array([[NANO]], "datetime64[ns]"), [[NANO]]),
        (np.array(["2026-01-02", "NaT"], "datetime64[D]"), ["2026-01-02", None]),
        (np.array(["2026-01"], "datetime64[M]"), ["2026-01-01"]),
        (np.array(["2026-01-02T12"], "datetime64[h]"), [NOON]),
        (np.datetime64(NANO), NANO),
        (np.datetime64("NaT"), None),
        (np.array([90], "timedelta64[s]"), ["P0DT0H1M30S"]),
        (np.array([2, "NaT"], "timedelta64[25s]"), ["P0DT0H0M50S", None]),
        (np.timedelta64(1, "W"), "P7DT0H0M0S"),
        (np.ma.array([1.5, 2.5, np.nan], mask=[0, 1, 0]), [1.5, None, None]),
        (np.ma.array([[1, 2]], mask=[[0, 1]]), [[1, None]]),
        (np.ma.array(np.array([NANO, NANO], "M8[ns]"), mask=[0, 1]), [NANO, None]),
        (np.ma.array(np.array([1, 1], "m8[s]"), mask=[0, 1]), ["P0DT0H0M1S", None]),
        ([np.ma.masked, 1], [None, 1]),
        (np.array([(1, NANO, THIRD)], RECORDS), [{"a": 1, "when": NANO, "part": float(THIRD)}]),
        (np.array((1, "NaT", np.nan), RECORDS), {"a": 1, "when": None, "part": None}),
        (np.rec.array([(1, 2.5)], names="a,b"), [{"a": 1, "b": 2.5}]),
        (
            np.ma.array([(1, 2.5)], mask=[(0, 1)], dtype=[("a", int), ("b", float)]),
            [{"a": 1, "b": None}],
        ),
        (
            np.ma.array([(1, 2.5)], mask=[(0, 1)], dtype=[("a", int), ("b", float)])[0],
            {"a": 1, "b": None},
        ),
        ([np.float32(THIRD), np.int8(3), np.bool_(1), np.str_("x")], [float(THIRD), 3, True, "x"]),
        (np.zeros((0, 3)), []),
    ],
    ids=str,
)
def test_arrays_of_numpy(values, sent):
    assert features(values) == sent


def test_frame_of_many_kinds_keeps_integers_beside_numbers():
    frame = pd.DataFrame([[1, 2.5, "x"]])
    (row,) = features(frame)
    assert [type(value) for value in row] == [int, float, str]


@pytest.mark.parametrize("frame", [pd.DataFrame(index=range(2)), pd.DataFrame({"a": []})])
def test_frame_without_cells_keeps_its_height(frame):
    assert len(features(frame)) == len(frame)


def test_rows_of_a_frame_are_objects():
    frame = pd.DataFrame({"a": [1], "when": [pd.Timestamp(NANO)]})
    (named,) = frame.itertuples(index=False)
    ((_, series),) = frame.iterrows()
    assert features(named) == features(series) == {"a": 1, "when": NANO}
    assert features([series]) == features(frame)
