"""The gate reports differences between served and own answers, and the column to blame."""

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from workers.gate.comparing import SHOWN_ROWS, differences
from workers.gate.differences import differences_text
from workers.gate.doors import DOORS
from workers.models.signature.inspection import inspect
from workers.models.tabular.columns import object_array
from workers.models.tabular.equality import equal, unequal

ROWS = 12
FRAME = pd.DataFrame(
    {
        "age": np.arange(ROWS),
        "city": np.tile(["Rome", "Oslo", "Bern"], ROWS // 3),
        "day": pd.date_range("2026-01-01", periods=ROWS, freq="7h"),
    }
)
Y = np.tile([0, 1], ROWS // 2)


def hours(frame):
    return frame["day"].dt.hour.to_frame()


def fitted():
    parts = [
        ("n", StandardScaler(), ["age"]),
        ("c", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ("d", FunctionTransformer(hours), ["day"]),
    ]
    return make_pipeline(ColumnTransformer(parts), LogisticRegression()).fit(FRAME, Y)


def with_column(signature, index, **changes):
    columns = [*signature.columns]
    columns[index] = replace(columns[index], **changes)
    return replace(signature, columns=tuple(columns))


def test_right_signature_has_no_differences():
    model = fitted()
    found = inspect(model, None, FRAME)
    assert set(found.own_answers.answers) == {
        *("predict", "predict_proba", "predict_log_proba", "decision_function")
    }
    assert differences(model, found.signature, found.own_answers) == []


class Dtypes:
    """Answers with a number that depends only on the dtypes of its columns."""

    feature_names_in_ = np.array(["age", "city"], dtype=object)
    n_features_in_ = 2

    def predict(self, frame):
        kinds = sum(10 * n for n, name in enumerate(frame, 1) if frame[name].dtype == object)
        whole = 1 if frame["age"].dtype == "int64" else 0
        return np.full(len(frame), kinds + whole)


@pytest.mark.parametrize(
    ("index", "changes", "blamed"),
    [(0, {"dtype": "float64"}, "age"), (1, {"dtype": "object"}, "city")],
)
def test_wrong_dtype_is_blamed_on_its_column(index, changes, blamed):
    model, frame = Dtypes(), FRAME[["age", "city"]]
    found = inspect(model, None, frame)
    assert differences(model, found.signature, found.own_answers) == []
    wrong = differences(model, with_column(found.signature, index, **changes), found.own_answers)
    assert {difference.column for difference in wrong} == {blamed}
    assert [d.door for d in wrong] == [door for door in DOORS for _ in range(SHOWN_ROWS)]
    assert [d.row for d in wrong[:SHOWN_ROWS]] == [1, 2, 3]
    assert wrong[0].method == "predict"
    assert wrong[0].own != wrong[0].served
    line = differences_text("m:1", wrong).splitlines()[1]
    assert line.endswith(f"column '{blamed}' is to blame")
    assert line.startswith("  json, row 1, predict: the model gives 1, served would be ")


def test_wrong_signature_that_takes_no_row_is_a_difference():
    model = fitted()
    found = inspect(model, None, FRAME)
    wrong = differences(model, with_column(found.signature, 1, type="number"), found.own_answers)
    assert {difference.door for difference in wrong} == {*DOORS}
    assert all("'city': expected a number, got" in difference.refusal for difference in wrong)
    assert "; column 'city': expected a number" in differences_text("m:1", wrong).splitlines()[1]


def test_model_that_raises_for_served_rows_is_a_difference():
    model = fitted()
    found = inspect(model, None, FRAME)
    wrong = differences(
        model, with_column(found.signature, 2, type="string", dtype="str"), found.own_answers
    )
    assert wrong
    assert all(d.refusal for d in wrong)


def test_random_model_differs_without_a_column_to_blame():
    class Chance:
        n_features_in_ = 1

        def predict(self, x):
            return np.random.default_rng().normal(size=len(x))

    found = inspect(Chance(), None, pd.DataFrame({"a": [1.0, 2.0]}))
    wrong = differences(Chance(), found.signature, found.own_answers)
    assert wrong
    assert {difference.column for difference in wrong} == {""}


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputClassifier(LogisticRegression()).fit(FRAME[["age"]], np.c_[Y, Y[::-1]]),
        NearestNeighbors(n_neighbors=2).fit(FRAME[["age"]]),
    ],
)
def test_several_outputs_are_compared(model):
    found = inspect(model, None, FRAME[["age"]])
    assert differences(model, found.signature, found.own_answers) == []


@pytest.mark.parametrize(
    ("own", "served", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-15], [False, False]),
        ([1.0, 2.0], [1.0, 2.1], [False, True]),
        ([1.0, 0.0, 0.0], [1.0 + 1e-10, 1e-10, 1e-14], [True, True, False]),
        ([1j, 2j], [1j * (1 + 1e-15), 3j], [False, True]),
        ([np.nan, 1.0], [np.nan, np.nan], [False, True]),
        ([1, 2], [1, 3], [False, True]),
        ([1.0, 2.0], [1, 3], [False, True]),
        ([1, 2], [1.0, 2.0 + 1e-15], [False, True]),
        (["a", "b"], ["a", "c"], [False, True]),
        ([["a", None]], [["a", None]], [False]),
        (object_array(["a", 0.5, 1]), object_array(["a", 0.5 + 1e-15, 1.0]), [False] * 3),
        (object_array(["a", 0.5]), object_array(["b", 0.6]), [True, True]),
        (object_array([{"p": 0.5}]), object_array([{"p": 0.5 + 1e-15}]), [False]),
        (object_array([{"p": 0.5}]), object_array([{"q": 0.5}]), [True]),
        (["a", None, None], [None, "a", None], [True, True, False]),
        (object_array([1j, 2j]), object_array([1j, 3j]), [False, True]),
        (object_array([[1.0], (2.0,)]), object_array([[1.0 + 1e-15], [2.1]]), [False, True]),
        (object_array([np.ones(1), np.ones(2)]), object_array([[1.0], [1.0]]), [False, True]),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 5.0]], [False, True]),
        ([[1.0, 2.0]], [1.0], [True]),
        (
            np.array(["NaT", "2026-01-02"], "M8[s]"),
            np.array(["NaT", "2026-01-03"], "M8[s]"),
            [False, True],
        ),
        (np.zeros(0), np.zeros(0), []),
        (np.zeros((0, 2)), np.zeros((0, 2)), []),
    ],
)
def test_answers_are_unequal_row_by_row(own, served, expected):
    found = unequal(np.array(own), np.array(served))
    assert (found.tolist(), found.dtype) == (expected, bool)


def test_outputs_are_unequal_where_one_of_them_is():
    one, other = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 4.0])
    assert unequal([one, one], [one, other]).tolist() == [False, True, False]
    for own, served in (([one], [one, one]), (one, [one]), ([one], one)):
        found = unequal(own, served)
        assert (found.tolist(), found.dtype) == ([True] * 3, bool)


@pytest.mark.parametrize(
    ("own", "served", "same"),
    [
        (1.0, 1.0 + 1e-15, True),
        (1.0, 1, True),
        (1, 1.0, False),
        (1, True, False),
        (1.0, 1.1, False),
        (1.0, 1.0 + 1e-10, False),
        (0.0, 1e-10, False),
        (0.0, 1e-14, True),
        ("a", "a", True),
        (None, None, True),
        (None, 0.0, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 1.0, False),
        (1.0, float("nan"), False),
        ([1.0, [2.0]], [1.0, [2.0]], True),
        ([1.0], [1.0, 2.0], False),
        ([1.0], 1.0, False),
    ],
)
def test_answers_of_json_are_equal_or_not(own, served, same):
    assert equal(own, served) == same


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([True, None, False], dtype="bool[pyarrow]"),
        pd.Series(FRAME["day"][:3]).astype("timestamp[us][pyarrow]"),
        pd.Series(FRAME["day"][:3].dt.tz_localize("UTC")).astype("timestamp[us, tz=UTC][pyarrow]"),
        pd.Series(FRAME["day"][:3].dt.floor("D")).astype("date32[day][pyarrow]"),
        pd.Series(pd.to_timedelta([1, 2, 3], unit="s")).astype("duration[us][pyarrow]"),
        pd.Series(["a", None, "b"], dtype="large_string[pyarrow]"),
        pd.Series([1, None, 2], dtype="int32[pyarrow]"),
    ],
    ids=lambda values: str(values.dtype),
)
def test_dtypes_of_arrow_reach_the_model(values):
    frame = pd.DataFrame({"x": values, "n": [1, 2, 3]})
    found = inspect(Reprs(), None, frame)
    assert differences(Reprs(), found.signature, found.own_answers) == []


class Reprs:
    def predict(self, rows):
        return [f"{rows['x'].dtype} {value!r}" for value in rows["x"]]
