"""Kernels of forests: the bits of scikit-learn's own methods, and its errors."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import is_classifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from workers.models.kernels.accelerating import accelerated
from workers.models.kernels.validated import float32_rows

CLASSIFIERS = [RandomForestClassifier, ExtraTreesClassifier]
REGRESSORS = [RandomForestRegressor, ExtraTreesRegressor]
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(120, 4))
LABELS = np.where(ROWS[:, 0] > 0.6, "high", np.where(ROWS[:, 1] > 0, "middle", "low"))


class Foreign(RandomForestClassifier):
    """A class of someone else."""


def _around_thresholds(forest: Any) -> np.ndarray:
    """Rows with a feature on a threshold, or next to it in float32."""
    tree = forest.estimators_[0].tree_
    rows = []
    for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
        if feature >= 0:
            near = np.float32(threshold)
            for value in (threshold, near, *(np.nextafter(near, np.float32(s)) for s in (-9, 9))):
                rows.append(RANDOM.normal(size=4))
                rows[-1][feature] = value
    return np.array(rows)


def _same(model: Any, rows: Any) -> None:
    twin = accelerated(model, "m:1")
    assert twin is not model
    for method in ("predict", "predict_proba", "predict_log_proba"):
        if hasattr(model, method):
            original, found = getattr(model, method)(rows), getattr(twin, method)(rows)
            assert original.dtype == found.dtype
            assert original.shape == found.shape
            assert (
                original.tolist() == found.tolist()
                if original.dtype == object
                else original.tobytes() == (found.tobytes())
            )


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(CLASSIFIERS + REGRESSORS),
    trees=st.integers(1, 7),
    depth=st.one_of(st.none(), st.integers(1, 5)),
    seed=st.integers(0, 99),
)
def test_kernels_give_the_same_bits_on_thresholds(
    kind: Any, trees: int, depth: int | None, seed: int
) -> None:
    target = LABELS if kind in CLASSIFIERS else ROWS[:, 0] * ROWS[:, 1]
    forest = kind(trees, max_depth=depth, random_state=seed).fit(ROWS, target)
    rows = np.concatenate([ROWS, _around_thresholds(forest).reshape(-1, 4)])
    _same(forest, rows)
    rows[::5, seed % 4] = np.nan
    _same(forest, rows)
    _same(forest, rows[:1])
    _same(forest, np.asfortranarray(rows.astype(np.float32)))


@pytest.mark.parametrize("kind", CLASSIFIERS + REGRESSORS)
def test_kernels_leave_what_is_unusual_to_scikit_learn(kind: Any) -> None:
    target = LABELS if kind in CLASSIFIERS else ROWS[:, 0]
    holed = ROWS.copy()
    holed[::3, 2] = np.nan
    forest = kind(5, random_state=0).fit(holed, target)
    _same(forest, holed)
    _same(forest, ROWS.tolist())
    twin = accelerated(forest, "m:1")
    assert float32_rows(twin, holed, nan_allowed=True) is not None
    assert float32_rows(twin, ROWS.tolist(), nan_allowed=True) is None
    for wrong in (ROWS[:, :3], ROWS[:0], np.full((1, 4), np.inf), np.full((1, 4), 1e300)):
        with pytest.raises(ValueError, match=r".") as original, np.errstate(over="ignore"):
            forest.predict(wrong)
        with pytest.raises(ValueError, match=r".") as found, np.errstate(over="ignore"):
            twin.predict(wrong)
        assert str(original.value) == str(found.value)


def test_kernels_take_frames() -> None:
    frame = pd.DataFrame(ROWS, columns=list("abcd"))
    forest = RandomForestClassifier(5, random_state=0).fit(frame, LABELS)
    _same(forest, frame)
    with pytest.raises(ValueError, match="feature names"):
        accelerated(forest, "m:1").predict(frame[list("bacd")])


def test_kernels_work_inside_pipelines_and_meta_estimators() -> None:
    forest = RandomForestClassifier(5, random_state=0)
    voting = VotingClassifier([("one", forest), ("two", LogisticRegression())], voting="soft")
    for model in (
        make_pipeline(StandardScaler(), forest),
        voting,
        GridSearchCV(make_pipeline(StandardScaler(), forest), {}, cv=2),
    ):
        fitted = model.fit(ROWS, LABELS)
        _same(fitted, ROWS)
        assert is_classifier(accelerated(fitted, "m:1"))


def test_kernels_leave_other_classes_alone() -> None:
    foreign = Foreign(3).fit(ROWS, LABELS)
    bayes = make_pipeline(RobustScaler(), GaussianNB()).fit(ROWS, LABELS)
    for model in (foreign, bayes, RandomForestClassifier(), object()):
        assert accelerated(model, "m:1") is model
