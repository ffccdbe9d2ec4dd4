"""Kernels of linear models and scalers."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC, LinearSVR

from tests.unit.workers.kernels.kernel_bits import assert_same_bits, assert_same_error
from workers.models.kernels.accelerating import accelerated

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(120, 4)) * [1, 100, 0.01, 3]
FRAME = pd.DataFrame(ROWS, columns=list("abcd"))
LABELS = np.where(ROWS[:, 0] > 0.6, "high", np.where(ROWS[:, 3] > 0, "middle", "low"))
VALUES = ROWS[:, 0] * ROWS[:, 3]
CLASSIFIERS = (
    LinearDiscriminantAnalysis(),
    LogisticRegression(),
    RidgeClassifier(),
    SGDClassifier(loss="log_loss"),
    LinearSVC(),
)
REGRESSORS = BayesianRidge(), ElasticNet(), Lasso(), LinearRegression(), LinearSVR(), Ridge()


def _name(value: Any) -> str:
    return type(value).__name__


@pytest.mark.parametrize("model", CLASSIFIERS, ids=_name)
def test_kernels_of_linear_classifiers_give_the_same_bits_and_errors(model: Any) -> None:
    for target in (LABELS, LABELS == "low"):
        twin = assert_same_bits(
            model.fit(ROWS, target), ROWS, ROWS[:1], np.asfortranarray(ROWS), ROWS.astype("f4")
        )
        for wrong in (ROWS[:, :3], ROWS[:0], np.full((1, 4), np.nan), np.full((1, 4), np.inf)):
            assert_same_error(model, twin, wrong)


@pytest.mark.parametrize("model", REGRESSORS, ids=_name)
def test_kernels_of_linear_regressors_give_the_same_bits_and_errors(model: Any) -> None:
    twin = assert_same_bits(
        model.fit(ROWS, VALUES), ROWS, ROWS[:1], np.asfortranarray(ROWS), ROWS.tolist()
    )
    for wrong in (ROWS[:, :3], ROWS[:0], np.full((1, 4), np.nan)):
        assert_same_error(model, twin, wrong)


def test_kernels_of_linear_models_with_several_outputs_give_the_same_bits() -> None:
    for model in (LinearRegression(), Ridge()):
        assert_same_bits(model.fit(ROWS, ROWS[:, :2] ** 3), ROWS, ROWS[:1])


@pytest.mark.parametrize(
    "scaler",
    [
        pytest.param(StandardScaler(), id="standard"),
        pytest.param(StandardScaler(with_mean=False), id="scale"),
        pytest.param(StandardScaler(with_std=False), id="mean"),
        pytest.param(StandardScaler(with_mean=False, with_std=False), id="nothing"),
        pytest.param(MinMaxScaler(), id="min-max"),
        pytest.param(SimpleImputer(), id="mean-imputer"),
        pytest.param(SimpleImputer(strategy="most_frequent"), id="frequent-imputer"),
        pytest.param(SimpleImputer(strategy="constant", fill_value=7.5), id="constant-imputer"),
    ],
)
def test_kernels_of_transformers_give_the_same_bits_and_leave_their_input(scaler: Any) -> None:
    holed = np.where(RANDOM.random(ROWS.shape) < 0.1, np.nan, ROWS)
    given = holed.copy()
    assert_same_bits(scaler.fit(ROWS), given, given[:1], np.asfortranarray(given), given.tolist())
    assert given.tobytes() == holed.tobytes()
    assert_same_bits(scaler.fit(FRAME), FRAME, FRAME[:1])


@pytest.mark.parametrize(
    "scaler",
    [
        pytest.param(StandardScaler().set_output(transform="pandas"), id="frames"),
        pytest.param(StandardScaler(copy=False), id="in-place"),
        pytest.param(MinMaxScaler(clip=True), id="clip"),
        pytest.param(SimpleImputer(add_indicator=True), id="indicator"),
        pytest.param(SimpleImputer(missing_values=0.0), id="zeros"),
    ],
)
def test_kernels_are_not_made_of_other_transformers(scaler: Any) -> None:
    fitted = scaler.fit(ROWS.copy())
    assert accelerated(fitted, "m:1") is fitted


def test_kernels_are_not_made_of_imputers_that_drop_columns_or_take_texts() -> None:
    empty = SimpleImputer().fit(np.column_stack([ROWS, np.full(len(ROWS), np.nan)]))
    texts = SimpleImputer(strategy="most_frequent").fit(LABELS[:, None].astype(object))
    for fitted in (empty, texts):
        assert accelerated(fitted, "m:1") is fitted


def test_kernels_of_steps_work_inside_pipelines_and_searches() -> None:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((numbers, ["a", "b"]), remainder="passthrough")
    for model in (
        make_pipeline(columns, LogisticRegression()),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(make_pipeline(MinMaxScaler(), LogisticRegression()), {}, cv=2),
    ):
        twin = assert_same_bits(model.fit(FRAME, LABELS), FRAME, FRAME[:1])
        assert_same_error(model, twin, FRAME[list("abc")])
        assert_same_error(model, twin, FRAME.assign(d=np.nan))
