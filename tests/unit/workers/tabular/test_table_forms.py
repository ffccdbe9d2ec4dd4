"""A model gets the form that it was trained on: a frame, an array, or a sequence."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from registry.manifest import Column, Signature
from workers.models.engine import answer_table, call_method
from workers.models.signature.inspection import inspect
from workers.models.tabular.infinities import spelled_values
from workers.models.tabular.outputs import to_wire
from workers.models.tabular.table import Table


def given(signature, rows):
    ((_, only),) = Table.of(signature, rows).parts()
    return only


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (LogisticRegression(max_iter=5000), load_iris),
        (RandomForestClassifier(10, random_state=0), load_breast_cancer),
        (HistGradientBoostingRegressor(max_iter=10), load_diabetes),
    ],
)
@pytest.mark.parametrize("as_frame", [True, False])
@pytest.mark.parametrize("sampled", [True, False])
def test_methods_answer_the_same_through_the_wire(estimator, data, as_frame, sampled):
    x, y = data(return_X_y=True, as_frame=as_frame)
    estimator.fit(x, y)
    sample = pd.DataFrame(x)[:100] if sampled else None
    signature = inspect(estimator, None, sample).signature
    table = Table.of(signature, np.asarray(x).tolist())
    for method in signature.methods:
        answer = answer_table(
            table, lambda rows, method=method: call_method(estimator, method, rows)
        )
        own = getattr(estimator, method)(x)
        assert to_wire(answer.output) == spelled_values(own.tolist())


def test_missing_value_is_nan_unless_the_model_knows_another():
    numbers = Signature((Column("a"), Column("b")), True, False, ("predict",))
    assert np.array_equal(given(numbers, [[1, None]]), np.array([[1.0, math.nan]]), equal_nan=True)
    for null, dtype, missing in (("nan", "str", math.nan), ("none", "object", None)):
        columns = (Column("a"), Column("c", "string", null=null))
        frame = given(Signature(columns, True, True, ("predict",)), [[1, "u"], [None, None]])
        assert isinstance(frame, pd.DataFrame)
        assert [str(kind) for kind in frame.dtypes] == ["float64", dtype]
        assert math.isnan(frame["a"][1])
        assert repr(frame["c"].tolist()) == repr(["u", missing])


def test_strings_without_names_make_an_array_of_objects():
    mixed = Signature((Column("a"), Column("c", "string")), False, False, ("predict",))
    array = given(mixed, [[1, "u"]])
    assert array.dtype == object
    assert array.tolist() == [[1, "u"]]


def test_values_of_any_type_share_an_array_of_objects():
    columns = (Column("a", "any"), Column("b", "any"))
    array = given(Signature(columns, False, False, ("predict",)), [[1, "u"], ["v", True]])
    assert array.dtype == object
    assert array.tolist() == [[1, "u"], ["v", True]]


def test_flat_signature_makes_a_sequence():
    text = Signature((Column("text", "string"),), False, False, ("predict",), flat=True)
    assert given(text, [["a"], ["b"]]).tolist() == ["a", "b"]
    numbers = Signature((Column("x0"),), False, False, ("predict",), flat=True)
    assert given(numbers, [[1], [2.5]]).tolist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("dtypes", "rows", "expected"),
    [
        (["float32", "float32"], [[1, 2]], "float32"),
        (["int64", "int64"], [[1, 2]], "int64"),
        (["int64", "int64"], [[1, 2.0]], "int64"),
        (["int64", "int64"], [[1, 0.5]], "float64"),
        (["int64", "float64"], [[1, 2]], "float64"),
        (["", ""], [[1, 2]], "float64"),
        (["int64", "uint8", "float32"], [[1, 2, 3]], "float64"),
        (["Int64", "Int64"], [[1, 2]], "object"),
    ],
)
def test_array_has_the_dtype_of_all_its_columns(dtypes, rows, expected):
    columns = tuple(Column(f"x{n}", dtype=dtype) for n, dtype in enumerate(dtypes))
    array = given(Signature(columns, False, False, ("predict",)), rows)
    assert (str(array.dtype), array.tolist()) == (expected, rows)


def test_booleans_alone_make_an_array_of_booleans():
    columns = (Column("x0", "boolean", dtype="bool"), Column("x1", "boolean", dtype="bool"))
    array = given(Signature(columns, False, False, ("predict",)), [[True, False]])
    assert (str(array.dtype), array.tolist()) == ("bool", [[True, False]])


def test_value_outside_of_pandas_range_raises():
    signature = Signature((Column("t", "datetime"),), True, True, ("predict",))
    for value in ("0001-01-01", "9999-12-31T23:59:59"):
        with pytest.raises((ValueError, OverflowError)):
            Table.of(signature, [[value]])
    durations = Signature((Column("t", "duration"),), True, True, ("predict",))
    with pytest.raises(ValueError, match="soon"):
        Table.of(durations, [["soon"]])
