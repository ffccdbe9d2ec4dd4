"""Trees whose nodes lead out of their arrays are refused, wherever they are in a model."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from telemetry.errors import ModelUnloadable
from workers.models.formats.model_format import LoadOptions
from workers.models.formats.pickled.pickles import load_skops
from workers.models.formats.pickled.sound_trees import refuse_unsound_trees

X, Y = load_iris(return_X_y=True)


def with_categories() -> HistGradientBoostingClassifier:
    frame = pd.DataFrame(X, columns=[*"abcd"])
    frame["kind"] = pd.Categorical(np.where(X[:, 0] > 5, "p", "q"))
    return HistGradientBoostingClassifier(max_iter=3).fit(frame, Y)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_leaf_nodes=5).fit(X, Y),
        IsolationForest(n_estimators=3, max_features=2).fit(X),
        GradientBoostingClassifier(n_estimators=3).fit(X, Y),
        GridSearchCV(RandomForestClassifier(3), {"max_depth": [2]}).fit(X, Y),
        StackingClassifier(
            [
                ("near", KNeighborsClassifier(algorithm="ball_tree")),
                ("tree", DecisionTreeClassifier()),
            ]
        ).fit(X, Y),
        with_categories(),
        KernelDensity().fit(X),
    ],
    ids=lambda model: type(model).__name__,
)
def test_sound_trees_of_fitted_models_are_taken(model: Any) -> None:
    refuse_unsound_trees(model)


def changed_tree(change: Callable[[Any], None]) -> Any:
    """A forest in a pipeline, one of whose trees has other nodes."""
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(X, Y)
    tree = model[-1].estimators_[1].tree_
    state = copy.deepcopy(tree.__getstate__())
    change(state["nodes"])
    tree.__setstate__(state)
    return model


def out_of_range(nodes: Any) -> None:
    nodes["left_child"][0] = 10**6


def in_a_circle(nodes: Any) -> None:
    nodes["right_child"][0] = 0


def beyond_the_columns(nodes: Any) -> None:
    nodes["feature"][0] = 4


def before_the_columns(nodes: Any) -> None:
    nodes["feature"][0] = -7


@pytest.mark.parametrize(
    "change", [out_of_range, in_a_circle, beyond_the_columns, before_the_columns]
)
def test_unsound_tree_is_refused(change: Callable[[Any], None]) -> None:
    content = skops.io.dumps(changed_tree(change))
    with pytest.raises(ModelUnloadable, match="DecisionTreeClassifier lead out of the tree"):
        load_skops(content, LoadOptions())
    load_skops(content, LoadOptions(trust=True))


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 9), ("is_categorical", 1)]
)
def test_unsound_histograms_are_refused(field: str, value: int) -> None:
    model = HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    model._predictors[1][0].nodes[field][0] = value
    with pytest.raises(ModelUnloadable, match="HistGradientBoostingClassifier lead out"):
        refuse_unsound_trees(model)


def test_unsound_neighborhood_is_refused() -> None:
    model = KNeighborsClassifier(algorithm="kd_tree").fit(X, Y)
    state = [*model._tree.__getstate__()]
    state[1] = state[1].copy()  # the order of the points
    state[1][3] = 10**9
    model._tree.__setstate__(tuple(state))
    with pytest.raises(ModelUnloadable, match="KDTree lead out of the tree"):
        refuse_unsound_trees(model)


def test_forest_that_asks_for_fewer_columns_than_its_trees_is_refused() -> None:
    model = RandomForestClassifier(2).fit(X, Y)
    model.n_features_in_ = 3
    with pytest.raises(ModelUnloadable, match="RandomForestClassifier lead out"):
        refuse_unsound_trees(model)
