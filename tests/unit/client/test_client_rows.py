"""Whatever holds rows becomes JSON."""

import math

import numpy as np
import pandas as pd
import pytest

from predictq.rows import features
from tests.unit.stand_in import succeeded

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
def test_all_that_holds_rows_is_taken(rows, sent):
    assert features(rows) == sent


def test_what_json_cannot_say_is_a_type_error(client, server):
    with pytest.raises(TypeError, match="not JSON serializable"):
        client.submit("iris", [object()])
    assert server.asked == []


def test_missing_values_travel_as_null(server, client):
    server.script(succeeded([None]))
    assert client.predict("iris", np.array([1.0, np.nan])).predictions == [None]
    assert server.asked[0].body["features"] == [1.0, None]
