"""Rows of every kind become JSON."""

import math
from array import array
from collections import deque
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from predictq import InvalidRequest
from predictq.rows.rows import features
from tests.unit.fake_server import succeeded

ROW = [5.1, 3.5, 1.4, 0.2]


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        (ROW, ROW),
        ([ROW, (1, 2)], [ROW, [1, 2]]),
        ({"age": 1, "city": "x"}, {"age": 1, "city": "x"}),
        ([{"age": math.nan}, {"age": None}], [{"age": None}, {"age": None}]),
        ([True, "a", math.inf], [True, "a", math.inf]),
        (np.array([[1.5, np.nan], [3, 4]]), [[1.5, None], [3, 4]]),
        ([np.float64(1.5), np.int64(2), np.bool_(True)], [1.5, 2, True]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (pd.Series([1.0, math.nan]), [1.0, None]),
        (pd.Series({"age": 1.0, "city": math.nan}), {"age": 1.0, "city": None}),
        (np.array([(1, 2.5)], [("a", int), ("b", float)]), [{"a": 1, "b": 2.5}]),
        (np.array([(1, 2.5)], [("a", int), ("b", float)])[0], {"a": 1, "b": 2.5}),
        (
            pd.DataFrame({"age": pd.array([1, None], "Int64"), "city": ["x", None]}),
            [{"age": 1, "city": "x"}, {"age": None, "city": None}],
        ),
        (pd.DataFrame([[1, 2.5]]), [[1, 2.5]]),
        ((1, math.nan), [1, None]),
        ([pd.NaT, pd.NA], [None, None]),
    ],
    ids=str,
)
def test_containers_of_rows_are_all_taken(rows, sent):
    assert features(rows) == sent


CIRCLE: list = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize("use", ["predict", "submit"])
@pytest.mark.parametrize(
    ("rows", "told", "row"),
    [
        ([object()], "^row 1: a value of type object cannot be sent$", 0),
        ([[1], [2, b"x"]], "^row 2, column 1: a value of type bytes cannot be sent; text is", 1),
        ([{"a": 1}, {"a": {1}}], "row 2, column 'a': .* set cannot be sent; it has no order", 1),
        ({"a": 1j}, "^column 'a': a value of type complex cannot be sent$", None),
        ({1, 2}, "^rows: a value of type set cannot be sent; it has no order", None),
        (b"text", "^rows: a value of type bytes", None),
        ([["half \ud800"]], "row 1, column 0: .* str cannot .* an unpaired surrogate", 0),
        ([{"half \ud800": 1}], "row 1.*: .* an unpaired surrogate", 0),
        ([[10**5000]], "row 1, column 0: .* int cannot be sent: it has too many digits", 0),
        ([{1: 2}], "column 1 has a name that is not text", None),
        (CIRCLE, "nested too deeply, or contain a cycle", None),
        (pd.DataFrame({"a": [1, 1j]}), "row 1, column 'a': .* complex cannot be sent", 0),
        ({"a": [1, 2], "b": [3, 4]}, "an object is one row", None),
        ({"a": np.array([1, 2])}, "an object is one row", None),
        (pl.LazyFrame({"a": [1]}), "lazy: send the result of its collect", None),
        (
            pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([(1, 2), (1, 3)])),
            "names on several levels",
            None,
        ),
        (pa.table([[1], [2]], names=["a", "a"]), "more than one column 'a'", None),
        (np.array([1], "timedelta64[M]"), "durations in NumPy's unit 'M'", None),
        (scipy.sparse.csr_matrix((10**6, 10**6)), "too large to be sent at once", None),
    ],
)
def test_value_without_json_is_refused_by_its_row_and_column(client, server, use, rows, told, row):
    with pytest.raises(InvalidRequest, match=told) as refused:
        getattr(client, use)("iris", rows)
    assert refused.value.errors[0].row == row
    assert server.asked == []


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        (["a text", "another"], ["a text", "another"]),
        ("a text", "a text"),
        ([1, 2.5, None], [1, 2.5, None]),
        (pd.Series(["a", None], index=[3, 7]), ["a", None]),
        (pd.Series(["a", "b"], index=["x", "y"]), {"x": "a", "y": "b"}),
        (pd.Series([1, 2], index=["columns", "tolist"]), {"columns": 1, "tolist": 2}),
        (pl.Series(["a", None]), ["a", None]),
        (pa.array(["a", None]), ["a", None]),
        (pa.scalar(1.5), 1.5),
        (iter([[1, 2], (3, 4)]), [[1, 2], [3, 4]]),
        (range(3), [0, 1, 2]),
        ({"a": 1, "b": 2}.values(), [1, 2]),
        (deque([[1]]), [[1]]),
        (array("d", [1, math.nan]), [1.0, None]),
        (memoryview(array("d", [1.5])), [1.5]),
        (np.array(2.5), 2.5),
        ({"a": [1, 2], "b": 3}, {"a": [1, 2], "b": 3}),
        (scipy.sparse.csr_matrix([[0, 1.5], [2, 0]]), [[0, 1.5], [2, 0]]),
        (scipy.sparse.coo_array([[0, math.nan]]), [[0, None]]),
        (SimpleNamespace, SimpleNamespace),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_unusual_containers_of_rows(rows, sent):
    assert features(rows) == sent


def test_missing_values_travel_as_null(server, client):
    server.script(succeeded([None]))
    assert client.predict("iris", np.array([1.0, np.nan])).predictions == [None]
    assert server.asked[0].body["features"] == [1.0, None]
