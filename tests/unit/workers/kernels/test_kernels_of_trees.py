"""Kernels of single trees, and of trees with several outputs."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from tests.unit.workers.kernels.kernel_bits import assert_same_bits, assert_same_error
from workers.models.kernels.accelerating import accelerated

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(120, 4))
HOLED = np.where(RANDOM.random(ROWS.shape) < 0.1, np.nan, ROWS)
LABELS = np.where(ROWS[:, 0] > 0.6, "high", np.where(ROWS[:, 1] > 0, "middle", "low"))
SEVERAL_LABELS = np.column_stack([LABELS, (ROWS[:, 2] > 0).astype(str)])
SINGLE_CLASSIFIERS = DecisionTreeClassifier, ExtraTreeClassifier
CLASSIFIERS = *SINGLE_CLASSIFIERS, RandomForestClassifier, ExtraTreesClassifier
SINGLE_REGRESSORS = DecisionTreeRegressor, ExtraTreeRegressor
REGRESSORS = *SINGLE_REGRESSORS, RandomForestRegressor, ExtraTreesRegressor


def _made(kind: Any) -> Any:
    few = {} if kind in SINGLE_CLASSIFIERS + SINGLE_REGRESSORS else {"n_estimators": 5}
    return kind(random_state=0, **few)


@pytest.mark.parametrize("kind", SINGLE_CLASSIFIERS + SINGLE_REGRESSORS)
def test_kernels_of_single_trees_give_the_same_bits_and_errors(kind: Any) -> None:
    target = LABELS if kind in SINGLE_CLASSIFIERS else ROWS[:, 0] * ROWS[:, 1]
    tree = _made(kind).fit(ROWS, target)
    splits = tree.tree_.feature >= 0
    rows = np.repeat(ROWS[:1], splits.sum(), axis=0)
    rows[np.arange(len(rows)), tree.tree_.feature[splits]] = tree.tree_.threshold[splits]
    twin = assert_same_bits(tree, ROWS, rows, rows[:1], np.nextafter(rows, np.inf), ROWS.tolist())
    assert twin.apply(rows).tolist() == tree.apply(rows).tolist()
    for wrong in (ROWS[:, :3], ROWS[:0], np.full((1, 4), np.inf)):
        assert_same_error(tree, twin, wrong)
    holed = _made(kind).fit(HOLED, target)
    assert_same_bits(holed, HOLED, HOLED[:1])
    frame = pd.DataFrame(ROWS, columns=list("abcd"))
    named = _made(kind).fit(frame, target)
    assert_same_error(named, assert_same_bits(named, frame), frame[list("bacd")])


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_kernels_of_classifiers_with_several_outputs_give_the_same_bits(kind: Any) -> None:
    assert_same_bits(_made(kind).fit(HOLED, SEVERAL_LABELS), HOLED, HOLED[:1], ROWS)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_kernels_of_regressors_with_several_outputs_give_the_same_bits(kind: Any) -> None:
    assert_same_bits(_made(kind).fit(ROWS, ROWS[:, :3] ** 3), ROWS, ROWS[:1])


def test_kernels_of_trees_work_inside_meta_estimators() -> None:
    pair = [("one", _made(RandomForestClassifier)), ("two", _made(DecisionTreeClassifier))]
    for model, target in (
        (StackingClassifier(pair, cv=2), LABELS),
        (AdaBoostClassifier(n_estimators=3, random_state=0), LABELS),
        (BaggingRegressor(n_estimators=3, max_features=0.7, random_state=0), ROWS[:, 0]),
        (MultiOutputRegressor(_made(RandomForestRegressor)), ROWS[:, :2]),
    ):
        assert_same_bits(model.fit(ROWS, target), ROWS, ROWS[:1])


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_kernels_are_not_made_of_what_is_not_fitted(kind: Any) -> None:
    model = _made(kind)
    assert accelerated(model, "m:1") is model
