"""Regressions found in review: different answers, and needless refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from registry.manifest import Column, Signature
from telemetry.errors import ModelUnloadable
from tests.unit.workers.tables.sources import blocks
from workers.gate.comparing import differences
from workers.models.signature.inspection import inspect
from workers.models.signature.names import names_of
from workers.models.signature.own_answers import own_answers_of
from workers.models.signature.sample import read_sample
from workers.models.tabular.outputs import to_output, to_wire
from workers.models.tabular.table import Table

LARGE = 2**60
IDS = pd.DataFrame({"id": [LARGE, LARGE + 1] * 10})


def encoded(rows: Any) -> Any:
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=100))
    return model.fit(rows, [0, 1] * (len(rows) // 2))


def test_rows_are_not_taken_for_outputs_where_both_are_as_many() -> None:
    rows = [np.array([1, 2]), np.array([3, 4])]
    assert to_wire(to_output(rows, 2)) == [[1, 2], [3, 4]]
    outputs = [np.array([[0.1], [0.2]]), np.array([[0.3], [0.4]])]
    assert to_wire(to_output(outputs, 2)) == [[[0.1], [0.3]], [[0.2], [0.4]]]
    words = CountVectorizer().fit(["a1 b1", "c1 d1"])
    given = words.inverse_transform([[1, 1, 0, 0], [0, 0, 1, 1]])
    assert to_wire(to_output(given, 2)) == [["a1", "b1"], ["c1", "d1"]]


def test_column_that_a_wrapper_itself_is_given_is_used() -> None:
    frame = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40.0) % 2})
    part = make_pipeline(make_column_transformer((StandardScaler(), ["a"])), LogisticRegression())
    last = HistGradientBoostingClassifier(min_samples_leaf=5)
    model = StackingClassifier([("part", part)], last, passthrough=True, cv=2)
    found = inspect(model.fit(frame, frame["b"]), None)
    assert [column.unused for column in found.signature.columns] == [False, False]


class Ruled(BaseEstimator):
    """A user-defined class: a pipeline over one column, and a rule over another."""

    def fit(self, x: pd.DataFrame, y: Any) -> "Ruled":
        columns = make_column_transformer((StandardScaler(), ["amount"]))
        self.model_ = make_pipeline(columns, LogisticRegression()).fit(x, y)
        self.feature_names_in_ = np.array(x.columns, dtype=object)
        return self

    def predict(self, x: pd.DataFrame) -> Any:
        return np.where(x["blocked"].to_numpy() == True, 0, self.model_.predict(x))  # noqa: E712 - as such models are written


def test_columns_that_a_user_defined_class_looks_at_are_used() -> None:
    frame = pd.DataFrame({"amount": np.arange(40.0), "blocked": [False] * 40})
    model = Ruled().fit(frame, frame["amount"] > 20)
    for sample in (None, frame):
        found = inspect(model, None, sample)
        assert not any(column.unused for column in found.signature.columns)


def test_user_defined_class_needs_no_underscore_to_be_fitted() -> None:
    class Plain(BaseEstimator):
        def __init__(self) -> None:
            self.model = None

        def predict(self, x: Any) -> Any:
            return np.asarray(x)[:, 0]

    assert inspect(Plain(), None, pd.DataFrame({"a": [1.0, 2.0]})).signature.named


def test_feature_union_with_a_dropped_part_shows_the_others() -> None:
    union = FeatureUnion([("scaled", StandardScaler()), ("nothing", "drop")])
    model = make_pipeline(union, LogisticRegression()).fit(np.eye(2), [0, 1])
    assert inspect(model, None).signature.methods[0] == "predict"


@pytest.mark.parametrize("bad", ["abc", "1.5", ""])
def test_large_numbers_of_csv_are_unchanged_by_a_bad_row(tmp_path: Path, bad: str) -> None:
    signature = inspect(encoded(IDS), None, IDS).signature
    path = tmp_path / "ids.csv"
    path.write_text(f"id\n{LARGE}\n{LARGE + 1}\n{bad!s}\n{LARGE}\n")
    (block,) = blocks(path, "csv", signature, 9)
    parts = [part for _, part in block.features.parts()]
    assert [*parts[0]["id"]] == [LARGE, LARGE + 1, LARGE]


@pytest.mark.parametrize("company", [1.5, None])
def test_array_rows_are_unchanged_by_other_rows(company: float | None) -> None:
    column = Column("x0", dtype="int64", nullable=True)
    signature = Signature((column,), False, False, ("predict",))
    parts = [*Table.of(signature, [[LARGE + 1], [company]]).parts()]
    assert next(part.tolist() for _, part in parts) == [[LARGE + 1]]


def test_example_keeps_what_the_encoder_knows() -> None:
    found = inspect(encoded(IDS), None, pd.DataFrame({"id": [LARGE]}), typed=False)
    assert found.signature.columns[0].dtype == "int64"


@pytest.mark.parametrize("kind", ["times", "dates"])
def test_times_that_csv_has_as_text_meet_their_encoder_as_times(tmp_path: Path, kind: str) -> None:
    times = pd.Series(pd.to_datetime(["2024-01-01", "2024-02-01"] * 10))
    frame = pd.DataFrame({"t": times if kind == "times" else times.dt.date.astype(object)})
    model = encoded(frame)
    frame.to_csv(tmp_path / "sample.csv", index=False)
    found = inspect(model, None, read_sample(tmp_path / "sample.csv"))
    assert found.signature.columns[0].type == {"times": "datetime", "dates": "date"}[kind]
    assert found.own_answers is not None
    assert [*found.own_answers.answers["predict"]] == [0, 1] * 10
    assert not differences(model, found.signature, found.own_answers)


def test_time_finer_than_those_of_the_sample_is_kept() -> None:
    column = Column("t", "datetime", dtype="datetime64[s]")
    signature = Signature((column,), True, True, ("predict",))
    times = Table.of(signature, [["2024-01-01T00:00:00.9"]]).whole()["t"]
    assert times[0] == pd.Timestamp("2024-01-01T00:00:00.9")


def test_zeros_and_ones_that_an_encoder_knows_may_be_booleans() -> None:
    frame = pd.DataFrame({"b": pd.Categorical([True, False] * 30), "n": np.arange(60.0)})
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=3)
    signature = inspect(model.fit(frame, [0, 1] * 30), None).signature
    assert signature.columns[0].dtype in ("", "category")


class Odd(BaseEstimator):
    """Gives rows of different lengths, and has a method whose output JSON cannot express."""

    n_features_in_ = 1

    def predict(self, x: Any) -> Any:
        return [np.arange(int(value)) for value in np.asarray(x)[:, 0]]

    def predict_curve(self, x: Any) -> Any:
        return np.array([object() for _ in x], dtype=object)


def test_ragged_answers_are_compared_and_what_json_cannot_say_is_no_method() -> None:
    found = inspect(Odd(), None, pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
    assert found.signature.methods == ("predict",)
    assert found.own_answers is not None
    assert not differences(Odd(), found.signature, found.own_answers)


def test_sample_of_another_width_is_refused() -> None:
    model = LogisticRegression().fit(np.eye(2), [0, 1])
    names = names_of(model, None, None)
    with pytest.raises(ModelUnloadable, match="takes 2 columns by position, the sample has 3"):
        own_answers_of(model, names, pd.DataFrame(np.eye(3)))


def test_arrow_whole_numbers_of_a_sample() -> None:
    frame = pd.DataFrame({"k": pd.array([1, 2] * 10, dtype="int64[pyarrow]")})
    found = inspect(LogisticRegression().fit(frame, [0, 1] * 10), None, frame)
    assert found.own_answers is not None
    assert not differences(
        LogisticRegression().fit(frame, [0, 1] * 10), found.signature, found.own_answers
    )


class Answering:
    """A model whose answers are what it was made with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def predict(self, rows: Any) -> Any:
        return [self.answer] * len(rows)


@pytest.mark.parametrize("answer", [1j, "\ud800", object()])
def test_model_whose_answers_json_cannot_express_is_refused_with_the_reason(answer: Any) -> None:
    with pytest.raises(ModelUnloadable, match="the model refuses the sample: .*Error: "):
        inspect(Answering(answer), None, IDS)


class Wrapping:
    """Has the methods of a model in it, and none of its own, as estimators of survival."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)

    def __dir__(self) -> list[str]:
        return dir(self._inner)


class Survival:
    def predict_a_curve(self, rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(np.zeros((len(IDS), len(rows))))

    def predict_hazard(self, rows: pd.DataFrame) -> Any:
        return rows["id"] / LARGE


def test_methods_of_a_model_in_it_are_found() -> None:
    found = inspect(Wrapping(Survival()), None, IDS)
    assert found.signature.methods == ("predict_hazard",)
    assert found.own_answers is not None
    assert differences(Wrapping(Survival()), found.signature, found.own_answers) == []


def test_model_that_takes_all_memory_is_not_said_to_refuse_the_sample() -> None:
    class Greedy:
        def predict(self, rows: Any) -> Any:
            raise MemoryError

    with pytest.raises(MemoryError):
        inspect(Greedy(), None, IDS)
