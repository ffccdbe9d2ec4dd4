"""ONNX Runtime computes a model's calls only where its answers are the model's."""

import logging
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from registry.manifest import Optimization, Signature
from tests.support.models import described
from workers.models.optimizing import choosing, comparing, optimized
from workers.models.optimizing.choosing import choose
from workers.models.optimizing.conversion import as_onnx
from workers.models.optimizing.optimized import OptimizedModel
from workers.models.registration import examine

pytest.importorskip("skl2onnx")
RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame(RANDOM.normal(size=(200, 4)), columns=list("abcd"))
ROWS = FRAME.to_numpy()
TARGET = np.where(ROWS[:, 0] * ROWS[:, 1] > 0, "yes", "no")
CATEGORIES = FRAME.assign(
    d=pd.Categorical(RANDOM.choice(["x", "y", "z"], 200)), c=RANDOM.integers(0, 9, 200) * 1.0
)
NETWORK = MLPClassifier((16, 8), max_iter=50, random_state=0)


def _signature(tmp_path: Any, model: Any, frame: pd.DataFrame) -> Signature:

    joblib.dump(model, tmp_path / "model")
    return examine(tmp_path / "model", trust=True, sample=frame).description.signature


@pytest.mark.parametrize(
    "model",
    [NETWORK, make_pipeline(StandardScaler(), NETWORK), GaussianNB()],
    ids=["network", "pipeline", "bayes"],
)
@pytest.mark.parametrize("named", [True, False], ids=["frame", "array"])
def test_optimizing_gives_the_answers_of_the_model(model: Any, named: bool) -> None:
    rows = FRAME if named else ROWS
    own = model.fit(rows, TARGET)
    other = OptimizedModel(own, as_onnx(own), 64)
    assert [*comparing._differences(own, as_onnx(own), ROWS)] == []
    for few in (rows[:1], rows[:64]):
        assert other.predict(few).tolist() == own.predict(few).tolist()
        assert np.allclose(other.predict_proba(few), own.predict_proba(few), 1e-12, 1e-13)
    assert other.predict_proba(rows).tobytes() == own.predict_proba(rows).tobytes()
    assert other.classes_ is own.classes_


def test_optimizing_leaves_unusual_rows_and_errors_to_the_model() -> None:
    own = NETWORK.fit(FRAME, TARGET)
    other = OptimizedModel(own, as_onnx(own), 64)
    for wrong in (FRAME[:1] * np.nan, FRAME[:1] * np.inf, FRAME[list("abc")], ROWS[:1, :2]):
        with pytest.raises(ValueError, match=r".") as raised:
            own.predict(wrong)
        with pytest.raises(ValueError, match=r".") as found:
            other.predict(wrong)
        assert str(found.value) == str(raised.value)
    assert other.predict(FRAME[:1].astype("f4")).tolist() == own.predict(FRAME[:1]).tolist()


def test_optimizing_chooses_by_time(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    network = MLPRegressor(hidden_layer_sizes=(16, 8), max_iter=50, random_state=0).fit(
        FRAME, ROWS[:, 0]
    )
    signature = _signature(tmp_path, network, FRAME)
    times = iter([90.0, 9.0, 95.0, 20.0, 100.0, 99.0])
    monkeypatch.setattr(choosing, "microseconds", lambda *_: next(times))
    found = choose(network, signature, FRAME)
    assert found.runtime.startswith("ONNX Runtime 1.")
    assert (found.most_rows, found.reason) == (64, "")
    assert found.times["scikit-learn"] == {"1": 90.0, "64": 95.0, "10000": 100.0}
    times = iter([9.0, 9.0])
    found = choose(network, signature, FRAME)
    assert (found.runtime, found.most_rows) == ("", 0)
    assert found.reason == "it is not faster for one row"


def test_optimizing_times_a_method_that_both_have(tmp_path: Any) -> None:
    own = SVC().fit(FRAME, TARGET)  # no probabilities; its conversion has scores in their place
    found = choose(own, _signature(tmp_path, own, FRAME), FRAME)
    assert "scikit-learn" in found.times


UNSOUND = {
    "histograms with categories": (
        HistGradientBoostingClassifier(categorical_features=[2], max_iter=10),
        CATEGORIES[list("abc")],
        "",
    ),
    "histograms of a frame": (
        HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=10),
        CATEGORIES,
        "not all of its columns",
    ),
    "forest after encoding": (
        make_pipeline(
            make_column_transformer(
                (StandardScaler(), ["a"]), (OneHotEncoder(), ["d"]), remainder="passthrough"
            ),
            RandomForestClassifier(5, random_state=0),
        ),
        CATEGORIES,
        "not all of its columns",
    ),
    "soft voting": (
        VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())], voting="soft"),
        FRAME,
        "it cannot be converted",
    ),
    "function": (
        make_pipeline(FunctionTransformer(np.square), LogisticRegression()),
        FRAME,
        "it cannot be converted",
    ),
    "forest": (RandomForestClassifier(5, random_state=0), FRAME, ""),
    "scaled forest": (
        make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)),
        FRAME,
        "",
    ),
    "histograms": (HistGradientBoostingClassifier(max_iter=10), FRAME, ""),
    "gradient boosting": (GradientBoostingClassifier(n_estimators=5), FRAME, ""),
    "tree": (DecisionTreeClassifier(random_state=0), FRAME, ""),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_optimizing_refuses_conversions_that_are_not_sound(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model, frame, told = UNSOUND[name]
    monkeypatch.setattr(choosing, "microseconds", lambda *_: pytest.fail("it was accepted"))
    fitted = model.fit(frame, TARGET)
    found = choose(fitted, _signature(tmp_path, fitted, frame), frame)
    assert found.runtime == ""
    assert found.reason.startswith(told)
    assert "differs in" in found.reason or "cannot be converted" in found.reason or told


def test_optimizing_refuses_boolean_labels_that_become_numbers(tmp_path: Any) -> None:
    network = NETWORK.fit(FRAME, TARGET == "yes")
    found = choose(network, _signature(tmp_path, network, FRAME), FRAME)
    assert found.reason == "predict differs in 200 of 200 rows of the sample"


def test_optimizing_refuses_a_regressor_whose_converter_takes_no_doubles(tmp_path: Any) -> None:
    forest = RandomForestRegressor(5, random_state=0).fit(FRAME, ROWS[:, 0])
    found = choose(forest, _signature(tmp_path, forest, FRAME), FRAME)
    assert found.reason


def test_optimizing_without_the_converter_serves_the_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def absent(model: Any) -> Any:
        raise ImportError("no skl2onnx")

    chosen = Optimization("ONNX Runtime 1.32.0", 64)
    manifest: Any = type("", (), {"optimization": chosen, "reference": "m:1"})
    own = GaussianNB().fit(ROWS, TARGET)
    model, more = optimized.optimized(own, own, manifest)
    assert more == "; ONNX Runtime 1.32.0 for calls of up to 64 rows"
    assert isinstance(model, OptimizedModel)
    monkeypatch.setattr(optimized, "as_onnx", absent)
    with caplog.at_level(logging.WARNING):
        assert optimized.optimized(own, own, manifest) == (own, "")
    assert "not optimized: no skl2onnx" in caplog.text


def test_optimizing_is_none_in_older_manifests() -> None:
    assert described(b"1").optimization is None
