"""Columns of Arrow become the model's table; rows that it does not accept are told."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from registry.manifest import Column, Signature
from workers.models.tabular.features import Faults, Features, gather

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
MONEY = [Decimal("42.157"), Decimal("56834724.120"), Decimal("-43.163"), None]
"""Arrow's own cast makes 42.157000000000004 of the first."""


def gathered(*columns: tuple[Column, Any], known: Faults | None = None) -> Features:
    signature = Signature(tuple(column for column, _ in columns), True, True, ("predict",))
    return gather(signature, [_of_arrow(values) for _, values in columns], known)


def _of_arrow(values: Any) -> Any:
    return pa.chunked_array([values]) if isinstance(values, pa.Array) else values


def column_of(column: Column, values: Any) -> Any:
    """The array of a column whose values are all accepted."""
    found = gathered((column, values))
    assert found.faults == {}
    return found.input.column(0)


def told(column: Column, values: Any) -> Faults:
    return gathered((column, values)).faults


def test_integers_keep_the_dtype_of_the_model_if_they_fit() -> None:
    column = Column("n", dtype="int8")
    for values in ([-128, 127], []):
        found = column_of(column, pa.array(values, pa.int64()))
        assert (found.dtype, found.tolist()) == (np.int8, values)


@pytest.mark.parametrize("values", [[128], [-129], [0, 128, -129]])
def test_integers_that_do_not_fit_stay_as_they_are(values: list[int]) -> None:
    found = column_of(Column("n", dtype="int8"), pa.array(values, pa.int64()))
    assert (found.dtype, found.tolist()) == (object, values)


def test_fractions_for_a_column_of_integers_stay_as_they_are() -> None:
    found = column_of(Column("n", dtype="int64"), pa.array([1.5, 2.0]))
    assert found.tolist() == [1.5, 2.0]


def test_missing_integers_are_told() -> None:
    assert told(Column("n", dtype="int64"), pa.array([1, None])) == {
        1: "column 'n': a missing value is not allowed here"
    }


def test_chunks_follow_each_other() -> None:
    values = pa.chunked_array([[1.0, 2.0], [3.0], [], [4.0, 5.0]])
    assert column_of(Column("n"), values).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("dtype", ["", "float64", "float32"])
def test_decimals_become_the_nearest_doubles(dtype: str) -> None:
    column = Column("n", dtype=dtype, nullable=True)
    for kind in pa.decimal128(11, 3), pa.decimal256(60, 20), pa.decimal64(11, 3):
        found = column_of(column, pa.array(MONEY, kind))
        np.testing.assert_array_equal(found, [42.157, 56834724.12, -43.163, np.nan])


def test_decimals_of_a_column_of_decimals_are_not_rounded() -> None:
    found = column_of(Column("n", "decimal"), pa.array([Decimal("0.1234567890123456789")]))
    assert found.tolist() == [Decimal("0.1234567890123456789")]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**63)])
def test_integers_beyond_those_of_doubles_are_rounded(number: int) -> None:
    assert column_of(Column("n"), pa.array([number])).tolist() == [float(number)]


def test_booleans_become_numbers_where_the_model_takes_them() -> None:
    assert column_of(Column("n"), pa.array([True, False])).tolist() == [1, 0]


def test_missing_and_infinite_numbers_are_told_of_a_matrix() -> None:
    found = gathered(
        (Column("a"), pa.array([1.0, None, np.inf, np.nan, -np.inf, 5.0])),
        (Column("b"), pa.array([1.0, None, 3.0, 4.0, 5.0, 6.0])),
    )
    missing, infinite = "a missing value is not allowed here", "infinity is not allowed here"
    assert found.faults == {
        1: f"column 'a': {missing}",
        2: f"column 'a': {infinite}",
        3: f"column 'a': {missing}",
        4: f"column 'a': {infinite}",
    }
    assert found.good.tolist() == [0, 5]
    matrix = found.input.matrix()
    assert matrix is not None
    assert matrix.tolist() == [[1, 1], [5, 6]]


def test_finite_numbers_whose_sum_overflows_are_accepted() -> None:
    assert column_of(Column("a"), pa.array([1e308] * 3)).tolist() == [1e308] * 3


def test_infinities_that_cancel_each_other_are_told() -> None:
    assert list(told(Column("a"), pa.array([np.inf, -np.inf, 1.0]))) == [0, 1]


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        (Column("a", nullable=True), [2, 3]),
        (Column("a", infinite=True), [1]),
        (Column("a", nullable=True, infinite=True), []),
        (Column("a"), [1, 2, 3]),
    ],
)
def test_columns_tell_what_they_do_not_take(column: Column, wrong: list[int]) -> None:
    values = pa.array([0.0, np.nan, np.inf, -np.inf])
    # Alone the column is a matrix; beside one of texts it is an array of its own.
    beside = Column("t", "string"), pa.array(["x"] * 4)
    assert list(told(column, values)) == wrong
    assert list(gathered((column, values), beside).faults) == wrong


def test_rows_known_to_be_bad_are_left_out_and_keep_their_error() -> None:
    known = {0: "known", 2: "known"}
    for beside in [], [(Column("t", "string"), pa.array(["x", "y", "z"]))]:
        found = gathered((Column("a"), pa.array([np.inf, 2.0, 3.0])), *beside, known=known)
        assert found.faults == {0: "known", 2: "known"}
        assert found.good.tolist() == [1]
        assert found.input.column(0).tolist() == [2]
    assert known == {0: "known", 2: "known"}


def test_first_error_of_a_row_is_told() -> None:
    found = gathered(
        (Column("a", "boolean"), pa.array([None, True])),
        (Column("b"), pa.array([None, 2.0])),
    )
    assert found.faults == {0: "column 'a': a missing value is not allowed here"}


def test_unused_columns_hold_nothing() -> None:
    found = gathered(
        (Column("gone", unused=True), None),
        (Column("there", unused=True), pa.array(["x", "y"])),
        (Column("a"), pa.array([1.0, 2.0])),
    )
    assert [found.input.column(i).tolist() for i in range(2)] == [[None, None]] * 2
    assert found.good.tolist() == [0, 1]


def test_texts_are_taken_at_once_or_one_by_one() -> None:
    for kind in pa.string(), pa.large_string(), pa.string_view():
        values = pa.array(["a", None, "b"], kind)
        assert column_of(Column("t", "string", nullable=True), values).tolist() == ["a", None, "b"]
    assert told(Column("t", "string"), pa.array(["a", None])) == {
        1: "column 't': a missing value is not allowed here"
    }


def test_values_of_a_wrong_kind_are_told_with_their_row() -> None:
    """Those of NDJSON come as an array of objects."""
    values = np.empty(3, dtype=object)
    values[:] = [[1], 2.5, {}]
    for column in Column("n"), Column("n", dtype="float32"):
        wide = gathered((column, values.copy()), (Column("t", "string"), pa.array(["x"] * 3)))
        assert wide.faults == {
            0: "column 'n': expected a number, got a list of 1",
            2: "column 'n': expected a number, got an object",
        }
        assert wide.input.column(0).tolist() == [2.5]


def test_times_of_arrow_are_accepted_within_the_range_of_the_column() -> None:
    column = Column("when", "datetime", dtype="datetime64[ns]", nullable=True)
    days = pa.array([dt.date(2026, 1, 2), dt.date(1500, 1, 1), None])
    assert told(column, days) == {
        1: "column 'when': the time is outside the range of the model's column, "
        "got the string '1500-01-01'"
    }
    moments = pa.array(np.array(["2026-01-02T03", "NaT"], "datetime64[us]"))
    found = column_of(column, moments)
    assert [*found] == [pd.Timestamp("2026-01-02 03:00"), pd.NaT]


def test_days_of_moments_are_accepted_for_a_column_of_dates() -> None:
    moments = pa.array(np.array(["2026-01-02T03"], "datetime64[us]"))
    assert column_of(Column("day", "date"), moments).tolist() == [dt.date(2026, 1, 2)]


def test_times_for_a_column_of_any_values_are_those_of_pandas() -> None:
    column = Column("c", "any", nullable=True)
    moments = pa.array(np.array(["2026-01-02T03", "NaT"], "datetime64[us]"))
    assert [*map(type, column_of(column, moments))] == [pd.Timestamp, type(None)]
    spans = pa.array([dt.timedelta(seconds=5)], pa.duration("ms"))
    assert [*map(type, column_of(column, spans))] == [pd.Timedelta]


def test_missing_values_are_none_among_others() -> None:
    column = Column("c", "any", nullable=True)
    assert column_of(column, pa.array([np.nan, None, 1.5])).tolist() == [None, None, 1.5]
    assert told(Column("c", "any"), pa.array([np.nan, 1.5])) == {
        0: "column 'c': a missing value is not allowed here"
    }


def test_durations_of_arrow_are_accepted() -> None:
    spans = pa.array([dt.timedelta(seconds=5), None], pa.duration("ms"))
    found = column_of(Column("took", "duration", nullable=True), spans)
    assert [*found] == [pd.Timedelta(seconds=5), pd.NaT]
