"""Rows of batch jobs given in Python: each is sent as a line, or an error names it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from predictq import InvalidRequest, NotFound
from tests.unit.client.rows.row_forms import form
from tests.unit.fake_server import Answer, job, problem

NAMED = {"columns": [{"name": "a"}, {"name": "b"}], "named": True}
UNNAMED = {"columns": [{"name": "x0"}, {"name": "x1"}], "named": False}
IRIS = {
    "name": "iris",
    "latest": 2,
    "versions": [1, 2],
    "aliases": {"production": 1, "split": {"1": 90, "2": 10}},
    "details": [{"version": 1, "signature": NAMED}, {"version": 2, "signature": UNNAMED}],
}
CIRCLE: list = []
CIRCLE.append(CIRCLE)


def answer(asked):
    return Answer(200, IRIS) if asked.path == "/models/iris" else Answer(202, job())


def sent(server):
    fields, _ = form(server.asked[-1])
    return [json.loads(line) for line in fields[-1][1].splitlines()]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (pd.DataFrame({"a": [0.1, np.nan]}), [{"a": 0.1}, {"a": None}]),
        (pd.DataFrame([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (({"a": number} for number in range(2)), [{"a": 0}, {"a": 1}]),
        (np.array([[1.5, 2.0]]), [[1.5, 2.0]]),
        ([], []),
        (pl.DataFrame({"a": [0.1, None]}), [{"a": 0.1}, {"a": None}]),
        (pa.table({"a": [0.1, None]}), [{"a": 0.1}, {"a": None}]),
        (scipy.sparse.csr_matrix([[0, 1.5], [2, 0]]), [[0, 1.5], [2, 0]]),
        (pd.Series(["a", None]), [["a"], [None]]),
        (pl.Series(["a", None]), [["a"], [None]]),
        (["a", 1], [["a"], [1]]),
        (pd.Series([1, 2], index=["a", "b"]), [{"a": 1, "b": 2}]),
    ],
    ids=[
        *("frame", "frame without names", "generator", "array", "nothing", "polars", "arrow"),
        *("sparse", "series", "series of polars", "values", "one row"),
    ],
)
def test_rows_are_sent_as_ndjson(server, client, rows, lines):
    server.behave = answer
    client.jobs.submit("iris", rows)
    assert form(server.asked[-1])[1] == "rows.ndjson"
    assert sent(server) == lines


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_frame_is_converted_in_slices(server, client, monkeypatch, library):
    monkeypatch.setattr("predictq.rows.ndjson.SLICE", 2)
    server.behave = answer
    client.jobs.submit("iris", library({"a": range(5)}))
    assert [row["a"] for row in sent(server)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("reference", "lines"),
    [
        ("iris:1", [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        ("iris@production", [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        ("iris@split", [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        ("iris:2", [[1, 2], [3, 4]]),
        ("iris", [[1, 2], [3, 4]]),
        ("iris@nobody", [[1, 2], [3, 4]]),
    ],
)
def test_rows_as_lists_go_by_the_names_that_the_model_has(server, client, reference, lines):
    server.behave = answer
    client.jobs.submit(reference, iter([[1, 2], (3, 4)]))
    assert sent(server) == lines
    assert server.calls == [("GET", "/models/iris"), ("POST", "/predict/batch")]


def test_row_of_another_width_is_refused(server, client):
    server.behave = answer
    with pytest.raises(InvalidRequest, match="row 2 has 3 features, expected 2") as refused:
        client.jobs.submit("iris:1", [[1, 2], [1, 2, 3]])
    assert refused.value.errors[0].row == 1
    assert server.calls == [("GET", "/models/iris")]


def test_rows_as_lists_for_an_unknown_model(server, client):
    server.script(problem(404, "model_not_found"))
    with pytest.raises(NotFound):
        client.jobs.submit("nobody", [[1, 2]])


@pytest.mark.parametrize(
    "rows_of",
    [
        lambda frame: (row for _, row in frame.iterrows()),
        lambda frame: frame.itertuples(index=False),
        lambda frame: frame.to_records(index=False),
    ],
    ids=["series", "named tuples", "records"],
)
def test_rows_with_names_are_matched_by_name(server, client, rows_of):
    server.behave = answer
    client.jobs.submit("iris@production", rows_of(pd.DataFrame({"b": [20.0, 40.0], "a": [1, 2]})))
    assert sent(server) == [{"b": 20, "a": 1}, {"b": 40, "a": 2}]


@pytest.mark.parametrize("use", ["predict", "jobs.submit"])
def test_frame_with_two_columns_of_one_name_is_refused(server, client, use):
    frame = pd.DataFrame([[1, 2, 3]], columns=["f0", "f1", "f0"])
    call = client.predict if use == "predict" else client.jobs.submit
    with pytest.raises(InvalidRequest, match="more than one column 'f0'"):
        call("iris", frame)
    assert server.asked == []


@pytest.mark.parametrize("use", ["predict", "jobs.submit"])
def test_frame_with_names_for_some_columns_is_refused(server, client, use):
    frame = pd.DataFrame([[1, 2]], columns=["f0", 0])
    call = client.predict if use == "predict" else client.jobs.submit
    with pytest.raises(InvalidRequest, match="column 0 .* not text"):
        call("iris", frame)
    assert server.asked == []


def test_times_and_decimals_are_sent_as_files_hold_them(server, client):
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    frame = pd.DataFrame(
        {
            "stamp": [pd.Timestamp(noon), pd.NaT],
            "day": [date(2026, 1, 2), None],
            "price": [Decimal("1.50"), Decimal("sNaN")],
            "key": [Decimal(12345678901234567890), None],
        }
    )
    server.behave = answer
    client.jobs.submit("iris", frame)
    first, second = sent(server)
    assert first == {
        "stamp": "2026-01-02T12:00:00+00:00",
        "day": "2026-01-02",
        "price": 1.5,
        "key": 12345678901234567890,
    }
    assert second == dict.fromkeys(first)


@pytest.mark.parametrize(
    "times",
    [np.array(["2026-01-02T12"], "datetime64[ns]"), pd.DataFrame([[pd.Timestamp(2026, 1, 2, 12)]])],
    ids=["array", "frame without names"],
)
def test_times_of_numpy_are_no_integers(server, client, times):
    server.behave = answer
    client.jobs.submit("iris", [times] if isinstance(times, np.ndarray) else times)
    assert sent(server) == [["2026-01-02T12:00:00"]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (pd.DataFrame({"a": [1, 2], "b": [1, b"x"]}), "row 2, column 'b': .* bytes cannot be sent"),
        ([{"a": 1}, {"a": 1j}], "row 2, column 'a': .* complex cannot be sent"),
        ([{"a": {1}}], "row 1, column 'a': .* set cannot be sent"),
        ([[1, object()]], "row 1, column 1: .* object cannot be sent"),
        ([{("a", "b"): 1}], r"row 1: column \('a', 'b'\) has a name that is not text"),
        ([b"x"], "row 1, column 0: .* bytes cannot be sent"),
        ({"a": 1}, "an object is one row; send it in a list"),
        (None, "expected a path, a URI, a data frame or an iterable of rows, got None"),
        (7, "expected a path, .* got a value of type int"),
        (np.array(3), "expected a path, .* got a value of type ndarray"),
        (b"rows.csv", "expected a path, .* got a value of type bytes"),
        ({1, 2}, "expected a path, .* got a value of type set"),
        (pl.LazyFrame({"a": [1]}), "lazy: send the result of its collect"),
        ([["half \ud800"]], "row 1, column 0: .* an unpaired surrogate"),
        ([CIRCLE], "row 1: .* contain a cycle"),
    ],
    ids=[
        *("bytes", "complex", "set", "object", "key", "value", "one row", "None", "number"),
        *("no rows", "path of bytes", "no order", "lazy", "half", "circle"),
    ],
)
def test_unsendable_value_is_refused_by_its_row_and_column(server, client, rows, told):
    server.behave = lambda _: Answer(200, IRIS)
    for upload in (None, True):
        with pytest.raises(InvalidRequest, match=told):
            client.jobs.submit("iris", rows, upload=upload)
    assert ("POST", "/predict/batch") not in server.calls
