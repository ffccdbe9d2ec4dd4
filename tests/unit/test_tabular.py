"""The way from the wire into a model and back leaves every bit as it was."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier

from registry.manifest import Column, Signature
from workers.inspection import inspect
from workers.tabular import to_input, to_wire

IRIS = load_iris()


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (LogisticRegression(max_iter=1000), load_iris),
        (RandomForestClassifier(10, random_state=0), load_breast_cancer),
        (HistGradientBoostingRegressor(max_iter=10), load_diabetes),
    ],
)
@pytest.mark.parametrize("as_frame", [True, False])
def test_every_method_answers_the_same_through_the_wire(estimator, data, as_frame):
    x, y = data(return_X_y=True, as_frame=as_frame)
    estimator.fit(x, y)
    signature = inspect(estimator, None).signature
    rows = np.asarray(x).tolist()
    for method in signature.methods:
        answer = getattr(estimator, method)
        assert to_wire(answer(to_input(signature, rows))) == answer(x).tolist()


def test_a_missing_number_is_nan_and_a_missing_string_none():
    numbers = Signature((Column("a"), Column("b")), True, False, ("predict",))
    assert np.array_equal(
        to_input(numbers, [[1, None]]), np.array([[1.0, math.nan]]), equal_nan=True
    )
    mixed = Signature((Column("a"), Column("c", "string")), True, True, ("predict",))
    frame = to_input(mixed, [[1, "u"], [None, None]])
    assert isinstance(frame, pd.DataFrame)
    assert [str(kind) for kind in frame.dtypes] == ["float64", "object"]
    assert math.isnan(frame["a"][1])
    assert frame["c"].tolist() == ["u", None]


def test_strings_without_names_make_an_array_of_objects():
    mixed = Signature((Column("a"), Column("c", "string")), False, False, ("predict",))
    array = to_input(mixed, [[1, "u"]])
    assert array.dtype == object
    assert array.tolist() == [[1, "u"]]


def test_a_flat_signature_makes_a_sequence():
    text = Signature((Column("text", "string"),), False, False, ("predict",), flat=True)
    assert to_input(text, [["a"], ["b"]]).tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("output", "wire"),
    [
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([1, 2]), [1, 2]),
        (np.array([True]), [True]),
        (np.array([np.int64(3), "x", None], dtype=object), [3, "x", None]),
        (np.array([0.1, math.nan, math.inf]), [0.1, None, None]),
        (np.array([[0.5, math.nan]], dtype=np.float32), [[0.5, None]]),
        ([np.array([[0.1, 0.9]]), np.array([[0.3, 0.7]])], [[[0.1, 0.9], [0.3, 0.7]]]),
        (pd.Series([1.5]), [1.5]),
        ([1, 2], [1, 2]),
    ],
)
def test_outputs_become_plain(output, wire):
    plain = to_wire(output)
    assert plain == wire
    assert [type(value) for value in plain] == [type(value) for value in wire]


def test_probabilities_of_several_outputs_come_row_by_row():
    y = np.c_[IRIS.target, IRIS.target == 0]
    model = MultiOutputClassifier(LogisticRegression(max_iter=1000)).fit(IRIS.data, y)
    first, second = model.predict_proba(IRIS.data[:5])
    wire = to_wire(model.predict_proba(IRIS.data[:5]))
    assert wire == [[first[i].tolist(), second[i].tolist()] for i in range(5)]
