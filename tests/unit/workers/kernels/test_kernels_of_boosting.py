"""Kernels of gradient boosting, by trees and by histograms."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LinearRegression

from tests.unit.workers.kernels.kernel_bits import assert_same_bits, assert_same_error
from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.trees import histograms

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(150, 3))
LABELS = np.where(ROWS[:, 0] > 0.6, "high", np.where(ROWS[:, 1] > 0, "middle", "low"))
VALUES = ROWS[:, 0] * ROWS[:, 1]
FRAME = pd.DataFrame(ROWS, columns=list("abc")).assign(
    k=pd.Categorical(RANDOM.choice(list("xyzw"), 150)), m=RANDOM.integers(0, 30, 150)
)
HISTOGRAMS = HistGradientBoostingClassifier, HistGradientBoostingRegressor


@pytest.mark.parametrize(
    ("model", "target"),
    [
        pytest.param(GradientBoostingClassifier(), LABELS, id="classes"),
        pytest.param(GradientBoostingClassifier(), LABELS == "low", id="binary"),
        pytest.param(GradientBoostingClassifier(loss="exponential"), LABELS == "low", id="exp"),
        pytest.param(GradientBoostingClassifier(init="zero"), LABELS, id="zero"),
        pytest.param(GradientBoostingClassifier(subsample=0.5), LABELS, id="subsample"),
        pytest.param(GradientBoostingRegressor(), VALUES, id="squares"),
        pytest.param(GradientBoostingRegressor(loss="huber"), VALUES, id="huber"),
        pytest.param(GradientBoostingRegressor(loss="quantile"), VALUES, id="quantile"),
    ],
)
def test_kernels_of_gradient_boosting_give_the_same_bits_and_errors(
    model: Any, target: Any
) -> None:
    fitted = model.set_params(n_estimators=8, random_state=0).fit(ROWS, target)
    trees = [each.tree_ for each in fitted.estimators_.ravel()]
    thresholds = np.concatenate([tree.threshold[tree.feature >= 0] for tree in trees])
    rows = RANDOM.choice(thresholds, size=(200, 3))
    twin = assert_same_bits(fitted, ROWS, ROWS[:1], rows, np.nextafter(rows, 9), ROWS.tolist())
    assert list(map(np.ndarray.tolist, twin.staged_predict(rows))) == list(
        map(np.ndarray.tolist, fitted.staged_predict(rows))
    )
    for wrong in (ROWS[:, :2], np.full((1, 3), np.nan), np.full((1, 3), np.inf)):
        assert_same_error(fitted, twin, wrong)


def test_kernels_are_not_made_of_boosting_that_starts_from_a_model() -> None:
    linear = GradientBoostingRegressor(n_estimators=2, init=LinearRegression()).fit(ROWS, VALUES)
    random = DummyClassifier(strategy="stratified")
    dummy = GradientBoostingClassifier(n_estimators=2, init=random).fit(ROWS, LABELS)
    for model in (linear, dummy):
        assert accelerated(model, "m:1") is model


@settings(max_examples=15, deadline=None)
@given(
    kind=st.sampled_from(HISTOGRAMS),
    iterations=st.integers(1, 6),
    leaves=st.integers(2, 31),
    classes=st.booleans(),
    seed=st.integers(0, 99),
)
def test_kernels_of_histograms_give_the_same_bits(
    kind: Any, iterations: int, leaves: int, classes: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    holed = np.where(random.random(ROWS.shape) < 0.1, np.nan, ROWS)
    target = VALUES if kind is HistGradientBoostingRegressor else LABELS
    if classes and kind is HistGradientBoostingClassifier:
        target = LABELS == "low"
    model = kind(max_iter=iterations, max_leaf_nodes=leaves, random_state=0, min_samples_leaf=5)
    fitted = model.fit(holed, target)
    nodes = np.concatenate([tree.nodes for trees in fitted._predictors for tree in trees])
    edges = np.append(nodes["num_threshold"], [np.inf, -np.inf, np.nan])
    rows = random.choice(edges, size=(300, 3))
    assert_same_bits(fitted, holed, rows, rows[:1], np.asfortranarray(rows), rows.astype("f4"))


@pytest.mark.parametrize("kind", HISTOGRAMS)
@pytest.mark.parametrize("told", ["from_dtype", ["k", "m"]], ids=["dtype", "names"])
def test_kernels_of_histograms_with_categories_give_the_same_bits(kind: Any, told: Any) -> None:
    target = VALUES if kind is HistGradientBoostingRegressor else (FRAME.k == "x") ^ (FRAME.a > 0)
    model = kind(max_iter=6, categorical_features=told, min_samples_leaf=3, random_state=0)
    fitted = model.fit(FRAME, target)
    strange = FRAME.assign(
        k=pd.Categorical([*"xyzwv", None] * 25, categories=list("xyzwv")), m=np.arange(-20.0, 130)
    )
    assert_same_bits(fitted, FRAME, strange, strange[:1], strange[5:6])


def test_kernels_of_histograms_leave_other_input_to_scikit_learn() -> None:
    fitted = HistGradientBoostingRegressor(max_iter=3).fit(ROWS, VALUES)
    twin = assert_same_bits(fitted, ROWS.tolist(), ROWS.astype(np.int64))
    assert list(map(np.ndarray.tolist, twin.staged_predict(ROWS))) == list(
        map(np.ndarray.tolist, fitted.staged_predict(ROWS))
    )
    for wrong in (ROWS[:, :2], ROWS[:0], ROWS[0]):
        assert_same_error(fitted, twin, wrong)


def test_kernels_of_histograms_need_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = HistGradientBoostingRegressor(max_iter=3).fit(ROWS, VALUES)
    monkeypatch.setattr(histograms, "compiled_loops", lambda: None)
    assert accelerated(fitted, "m:1") is fitted


def test_kernels_are_not_made_of_histograms_that_refer_outside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fitted = HistGradientBoostingRegressor(max_iter=3).fit(ROWS, VALUES)
    fitted._predictors[1][0].nodes["feature_idx"][0] = 7
    assert accelerated(fitted, "m:1") is fitted
    assert "other nodes" in caplog.text
