"""Probing a model without a sample, and columns that stay unknown."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from workers.models.signature.inspection import inspect
from workers.models.signature.model_calls import model_refusal, model_takes, tolerant

ROWS = 12
FRAME = pd.DataFrame(
    {
        "age": np.arange(ROWS) + 0.5,
        "city": np.tile(["Rome", "Oslo", "Bern"], ROWS // 3),
        "code": np.tile([10, 20], ROWS // 2),
        "note": ["good day", "bad day"] * (ROWS // 2),
        "day": pd.date_range("2026-01-01", periods=ROWS),
        "spare": 1.0,
    }
)
Y = np.tile([0, 1], ROWS // 2)


def hours(frame):
    return frame.apply(lambda series: series.dt.hour)


def fitted(*parts, **more):
    return make_pipeline(ColumnTransformer([*parts], **more), LogisticRegression()).fit(FRAME, Y)


def found(model):
    inspected = inspect(model, None)
    return inspected, {column.name: column for column in inspected.signature.columns}


def test_steps_say_what_their_columns_are():
    model = fitted(
        ("n", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
        ("c", OneHotEncoder(handle_unknown="error"), ["city", "code"]),
        ("t", CountVectorizer(), "note"),
        ("d", FunctionTransformer(hours), ["day"]),
    )
    inspected, columns = found(model)
    assert {name: column.type for name, column in columns.items()} == {
        "age": "number",
        "city": "string",
        "code": "number",
        "note": "string",
        "day": "datetime",
        "spare": "any",
    }
    assert columns["spare"].unused
    assert columns["age"].nullable
    assert not columns["city"].nullable
    assert columns["city"].categories == ("Bern", "Oslo", "Rome")
    assert columns["code"].dtype == "int64"
    assert inspected.unknown == ()
    assert model_takes(model, inspected.signature, inspected.example)


def test_unread_column_is_unknown():
    class Length:
        feature_names_in_ = np.array(["a", "b"], dtype=object)

        def predict(self, frame):
            return np.zeros(len(frame))

    inspected, columns = found(Length())
    assert inspected.unknown == ("a", "b")
    assert {(column.type, column.nullable, column.infinite) for column in columns.values()} == {
        ("any", True, True)
    }


def test_encoder_knows_which_values_are_missing():
    frame = FRAME.assign(city=FRAME["city"].astype(object).where(FRAME["code"] == 10, None))
    for missing, null in ((None, "none"), (np.nan, "nan")):
        city = frame["city"].where(frame["city"].notna(), missing)
        one = frame[["age"]].assign(city=city.astype(object))
        table = ColumnTransformer([("c", OrdinalEncoder(), ["city"])], remainder="passthrough")
        _, columns = found(make_pipeline(table, RandomForestClassifier(2)).fit(one, Y))
        assert (columns["city"].nullable, columns["city"].null) == (True, null)


@pytest.mark.parametrize("handle_missing", [True, False])
def test_tolerance_is_found_by_asking(handle_missing):
    model = HistGradientBoostingClassifier(max_iter=2) if handle_missing else LogisticRegression()
    _, columns = found(model.fit(FRAME[["age", "code", "spare"]], Y))
    assert {(c.nullable, c.infinite) for c in columns.values()} == {(handle_missing,) * 2}


class Picky:
    """Takes an unusual value in some columns only."""

    n_features_in_ = 9

    def __init__(self, *indices):
        self.indices = indices
        self.asked = 0

    def predict(self, x):
        self.asked += 1
        bad = ~np.isfinite(np.asarray(x, dtype=float))
        bad[:, list(self.indices)] = False
        if bad.any():
            raise ValueError
        return np.zeros(len(x))


@pytest.mark.parametrize("indices", [(), (0,), (8,), (0, 8), (3, 4, 5), tuple(range(9))])
def test_columns_that_take_missing_values_are_found(indices):
    model = Picky(*indices)
    columns = inspect(model, None).signature.columns
    assert tuple(n for n, column in enumerate(columns) if column.nullable) == indices
    assert tuple(n for n, column in enumerate(columns) if column.infinite) == indices


def test_probes_of_columns_that_are_alike_are_few():
    class Wide(Picky):
        n_features_in_ = 1024

    model = Wide(*range(1024))
    assert all(
        column.nullable and column.infinite for column in inspect(model, None).signature.columns
    )
    assert model.asked < 10


def test_unknown_values_are_taken_in_unused_columns():
    class First:
        feature_names_in_ = np.array(["a", "b"], dtype=object)

        def predict(self, frame):
            return frame["a"] * 1.5

    model = First()
    inspected, columns = found(model)
    assert (columns["a"].type, columns["b"].type) == ("number", "any")
    assert inspected.unknown == ("b",)
    assert tolerant(model, inspected.signature, [1.0, 1.0], "some text") == {1}


def test_model_refusal_is_what_the_model_raised():
    class Broken:
        def predict(self, x):
            raise KeyError("x")

    assert isinstance(model_refusal(Broken(), np.zeros((1, 1)), 1), KeyError)
    assert model_refusal(Picky(0), np.zeros((1, 9)), 1, "predict") is None
    assert isinstance(model_refusal(Picky(0), np.zeros((1, 9)), 1, "transform"), AttributeError)


def test_model_that_refuses_all_probes_takes_anything():
    class Never:
        n_features_in_ = 2

        def predict(self, x):
            raise ValueError

    inspected, _ = found(Never())
    assert inspected.example is None
    assert inspected.signature.methods == ("predict",)
    assert inspected.unknown == ("x0", "x1")
