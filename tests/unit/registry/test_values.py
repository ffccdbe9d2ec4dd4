"""Values of each type are accepted or rejected; accepted ones never raise in the model's table."""

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.manifest import Column
from registry.rows.values import EXPECTED, accepted_types, expected, fault, is_missing
from registry.rows.values import in_words as worded
from workers.models.tabular.columns import array_of
from workers.models.tabular.dtypes import cast_to_dtype

NS, US = (
    Column("c", "datetime", dtype="datetime64[ns]"),
    Column("c", "datetime", dtype="datetime64[us]"),
)
ZONED = Column("c", "datetime", dtype="datetime64[us, Europe/Berlin]")
SPAN = Column("c", "duration", dtype="timedelta64[ns]")
RIGHT = [
    (Column("c"), [1, 1.5, True, 10**300]),
    (Column("c", dtype="int8"), [1, 1.5, 1000]),
    (Column("c", "string"), ["", "x"]),
    (Column("c", "boolean"), [True]),
    (Column("c", "category", categories=("u", "v")), ["u", "other"]),
    (Column("c", "category", categories=(1, 2)), [1, 2.0, 7]),
    (Column("c", "category", categories=(True, False)), [True]),
    (Column("c", "category"), ["x", 1, True]),
    (NS, ["2026-01-02", "2026-01-02T03:04", "2026-01-02 03:04:05.123456789", "20260102T030405"]),
    (US, ["9999-12-31", "0001-01-01"]),
    (ZONED, ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+0100", "1500-01-01T00:00-05:30"]),
    (SPAN, ["1 days 02:03:04.5", "-1 days +23:59:59", "PT1H", "P1DT2H3M4.5S", "90s", "1.5s", "5",
            "02:03:04", "99999 days", "3 min", "-2h"]),
    (Column("c", "date"), ["2026-01-02", "0001-01-01"]),
    (Column("c", "decimal"), ["1.10", 1, 0.5, "-1e5"]),
    (Column("c", "any"), [1, 1.5, "x", True]),
    (Column("c", "any", unused=True), [None, [], {}, "x", math.inf]),
    (Column("c", nullable=True, infinite=True), [None, math.nan, math.inf, -math.inf]),
]  # fmt: skip  # one case on a line
WRONG = [
    (Column("c", dtype="float64"), True, "expected a number, got true"),
    (Column("c"), "1", "expected a number, got the string '1'"),
    (Column("c"), None, "a missing value is not allowed here"),
    (Column("c"), math.nan, "a missing value is not allowed here"),
    (Column("c"), -math.inf, "infinity is not allowed here"),
    (Column("c"), 10**309, "the number is too large for a float"),
    (Column("c", "string"), 1, "expected a string, got the number 1"),
    (Column("c", "boolean"), 0, "expected true or false, got the number 0"),
    (Column("c", "category", categories=("u", "v")), 1,
     "expected a category such as 'u', 'v', got the number 1"),
    (Column("c", "category", categories=tuple(range(9))), "x",
     "expected a category such as 0, 1, 2, 3, 4, …, got the string 'x'"),
    (NS, "soon", "expected a time as ISO 8601 text, got the string 'soon'"),
    (NS, 5, "expected a time as ISO 8601 text, got the number 5"),
    (NS, "2026-W01-1", "expected a time as ISO 8601 text, got the string '2026-W01-1'"),
    (NS, "2026-02-30",
     ("expected a time as ISO 8601 text, got the string '2026-02-30'"
      ": day is out of range for month")),
    (NS, "9999-12-31",
     "the time is outside the range of the model's column, got the string '9999-12-31'"),
    (NS, "2026-01-02T03:04Z",
     "the model was trained on times without a zone, got the string '2026-01-02T03:04Z'"),
    (ZONED, "2026-01-02",
     "the model was trained on times with a zone, got the string '2026-01-02'; add its offset"),
    (SPAN, "soon", "expected a duration as text, got the string 'soon'"),
    (SPAN, "", "expected a duration as text, got the string ''"),
    (SPAN, "999999 days", "expected a duration as text, got the string '999999 days'"),
    (Column("c", "date"), "2026-01-02T00:00",
     "expected a date as ISO 8601 text, got the string '2026-01-02T00:00'"),
    (Column("c", "decimal"), "x", "expected a decimal number, got the string 'x'"),
    (Column("c", "decimal"), "NaN", "expected a decimal number, got the string 'NaN'"),
    (Column("c", "decimal"), "-inf", "infinity is not allowed here"),
    (Column("c", "any"), [], "expected a number, a string or a boolean, got a list of 0"),
    (Column("c", "any"), {}, "expected a number, a string or a boolean, got an object"),
]  # fmt: skip  # one case on a line


@pytest.mark.parametrize(("column", "values"), RIGHT)
def test_right_values_pass_and_reach_the_model(column, values):
    for value in values:
        assert fault(column, value) is None, value
        plain = None if is_missing(value) or column.unused else value
        assert column.unused or type(plain) in accepted_types(column)
        assert len(cast_to_dtype(column, array_of(column, [plain]))) == 1


@pytest.mark.parametrize(("column", "value", "told"), WRONG)
def test_wrong_values_say_why(column, value, told):
    assert fault(column, value) == told
    assert fault(replace(column, unused=True), value) is None


TEXTS = st.one_of(
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.datetimes(timezones=st.just(timezone(timedelta(hours=-11, minutes=30)))).map(str),
    st.dates().map(date.isoformat),
    st.timedeltas().map(str),
    st.timedeltas(timedelta(-99_999), timedelta(99_999)).map(lambda t: str(pd.Timedelta(t))),
    st.timedeltas(timedelta(0), timedelta(99_999)).map(lambda t: pd.Timedelta(t).isoformat()),
    st.decimals().map(str),
    st.text("0123456789-:.+ TZPDHMSWdayshmn", max_size=24),
)
PARSED = [NS, US, ZONED, SPAN, Column("c", "date"), Column("c", "decimal"), Column("c", "datetime"),
          replace(ZONED, dtype="datetime64[ns, UTC]"), replace(SPAN, dtype="timedelta64[s]"),
          replace(US, dtype="datetime64[s]")]  # fmt: skip  # one case on a line


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PARSED), TEXTS)
def test_valid_text_never_raises(column, text):
    if fault(column, text) is None:
        assert not pd.isna(array_of(column, [text])[0])


@given(st.datetimes(datetime(1678, 1, 1), datetime(2261, 12, 31)))  # noqa: DTZ001 - files hold such
def test_times_that_python_writes_are_taken(moment):
    assert fault(NS, moment.isoformat()) is None
    assert fault(ZONED, moment.replace(tzinfo=UTC).isoformat()) is None


@given(st.timedeltas(timedelta(-99_999), timedelta(99_999)))
def test_durations_that_pandas_writes_are_taken(span):
    assert fault(SPAN, str(pd.Timedelta(span))) is None


def test_types_have_descriptions():
    for kind in EXPECTED:
        assert expected(Column("c", kind, categories=(1,))).startswith(EXPECTED[kind][:1])


def test_value_in_words_is_short():
    assert worded("x" * 100) == "the string '" + "x" * 28 + "…"
    assert worded(10**50).endswith("…")
    assert worded(Decimal(1)) == "Decimal"
    assert worded(None) == "null"
    assert worded([1, 2]) == "a list of 2"
