"""Estimators that fit in milliseconds, and wrappers for them."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from random import Random
from typing import Any

import msgspec
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

Model = Any
Make = Callable[[], Model]
CLASSIFIERS: tuple[Make, ...] = (
    lambda: LogisticRegression(max_iter=200),
    lambda: SGDClassifier(loss="log_loss", max_iter=20, random_state=0),
    lambda: DecisionTreeClassifier(max_depth=4, random_state=0),
    lambda: RandomForestClassifier(5, max_depth=4, random_state=0),
    lambda: HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=3, random_state=0),
    lambda: KNeighborsClassifier(3),
    GaussianNB,
    lambda: MLPClassifier((4,), max_iter=10, random_state=0),
    lambda: SVC(random_state=0),
    lambda: DummyClassifier(strategy="prior"),
)
REGRESSORS: tuple[Make, ...] = (
    *(Ridge, LinearRegression, lambda: KNeighborsRegressor(3)),
    lambda: DecisionTreeRegressor(max_depth=4, random_state=0),
    lambda: ExtraTreesRegressor(5, max_depth=4, random_state=0),
    lambda: HistGradientBoostingRegressor(max_iter=3, min_samples_leaf=3, random_state=0),
)
UNSUPERVISED: tuple[Make, ...] = (
    lambda: KMeans(2, n_init=1, random_state=0),
    lambda: IsolationForest(5, random_state=0),
    lambda: PCA(1, random_state=0),
)


class Wrapper(msgspec.Struct, frozen=True):
    """A meta-estimator around a pipeline."""

    name: str
    wrap: Callable[[Model], Model]
    classes: Sequence[int] = (2, 3)
    """Possible numbers of classes; empty for a regressor."""
    outputs: int = 1
    frames: bool = True
    """Whether it passes frames on unchanged."""


def _stacked(model: Model) -> Model:
    other = LogisticRegression(max_iter=100)
    return StackingClassifier([("one", model)], final_estimator=other, cv=2)


WRAPPERS = (
    Wrapper("none", lambda model: model),
    Wrapper("calibrated", lambda model: CalibratedClassifierCV(model, cv=2)),
    Wrapper("grid search", lambda model: GridSearchCV(model, {}, cv=2)),
    Wrapper("voting", lambda model: VotingClassifier([("a", model), ("b", model)], voting="soft")),
    Wrapper("stacking", _stacked),
    Wrapper("one versus rest", OneVsRestClassifier),
    Wrapper("several outputs", MultiOutputClassifier, outputs=2),
    Wrapper("fixed threshold", lambda m: FixedThresholdClassifier(m, threshold=0.4), [2]),
    Wrapper("tuned threshold", lambda m: TunedThresholdClassifierCV(m, cv=2, thresholds=5), [2]),
    Wrapper(
        "bagging", lambda m: BaggingClassifier(m, 2, max_features=0.7, random_state=0), frames=False
    ),
    Wrapper("none", lambda model: model, []),
    Wrapper("transformed target", TransformedTargetRegressor, []),
    Wrapper("grid search", lambda model: GridSearchCV(model, {}, cv=2), []),
    Wrapper("several outputs", MultiOutputRegressor, [], outputs=2),
)


def booster(random: Random, *, classifies: bool) -> Model:
    """A booster that accepts categorical frames, among those installed."""
    makes = _classifying if classifies else _regressing
    return random.choice([*makes()])()


def _classifying() -> list[Make]:
    few = {"max_iter": 3, "min_samples_leaf": 3, "random_state": 0}
    found: list[Make] = [
        lambda: HistGradientBoostingClassifier(categorical_features="from_dtype", **few)
    ]
    if find_spec("lightgbm"):
        from lightgbm import LGBMClassifier  # noqa: PLC0415 - is only there where tests run

        found.append(lambda: LGBMClassifier(**_LIGHT))
    if find_spec("xgboost"):
        from xgboost import XGBClassifier  # noqa: PLC0415 - is only there where tests run

        found.append(lambda: XGBClassifier(**_EXTREME))
    return found


def _regressing() -> list[Make]:
    few = {"max_iter": 3, "min_samples_leaf": 3, "random_state": 0}
    found: list[Make] = [
        lambda: HistGradientBoostingRegressor(categorical_features="from_dtype", **few)
    ]
    if find_spec("lightgbm"):
        from lightgbm import LGBMRegressor  # noqa: PLC0415 - is only there where tests run

        found.append(lambda: LGBMRegressor(**_LIGHT))
    if find_spec("xgboost"):
        from xgboost import XGBRegressor  # noqa: PLC0415 - is only there where tests run

        found.append(lambda: XGBRegressor(**_EXTREME))
    return found


_LIGHT: dict[str, Any] = {
    "n_estimators": 3,
    "min_child_samples": 3,
    "verbose": -1,
    "n_jobs": 1,
    "min_data_per_group": 2,
}
_EXTREME: dict[str, Any] = {
    "n_estimators": 3,
    "max_depth": 3,
    "enable_categorical": True,
    "n_jobs": 1,
}
