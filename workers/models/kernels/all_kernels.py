"""All kernels: which estimators have one."""

from collections.abc import Callable
from typing import Any

import msgspec

from workers.models.kernels.comparing import trees_agree
from workers.models.kernels.frames.agreeing import frames_agree
from workers.models.kernels.frames.transformer import (
    COLUMN_TRANSFORMER,
    ColumnTransformerKernel,
    prepare_transformer,
)
from workers.models.kernels.sklearn_classes import TREES
from workers.models.kernels.steps.imputing import SimpleImputerKernel, prepare_imputer
from workers.models.kernels.steps.linear import (
    CLASSIFIERS,
    REGRESSORS,
    LinearClassifierKernel,
    LinearRegressorKernel,
    bits_agree,
    bits_agree_with_missing_values,
    prepare_linear,
)
from workers.models.kernels.steps.scaling import (
    MinMaxScalerKernel,
    StandardScalerKernel,
    prepare_min_max,
    prepare_standard,
)
from workers.models.kernels.trees.boosting import (
    BoostingClassifierKernel,
    BoostingRegressorKernel,
    prepare_boosting,
)
from workers.models.kernels.trees.forests import ClassifierKernel, RegressorKernel, prepare_forest
from workers.models.kernels.trees.histograms import (
    HistogramKernel,
    histograms_agree,
    prepare_histograms,
)
from workers.models.kernels.trees.isolation import (
    IsolationKernel,
    isolation_agrees,
    prepare_isolation,
)
from workers.models.kernels.trees.single_trees import TreeKernel, prepare_tree


class Kernel(msgspec.Struct, frozen=True):
    """How an estimator gets its kernel."""

    methods: type
    """The class whose methods override those of the estimator. What ``prepare`` returned is their
    attribute ``kernel``."""
    prepare: Callable[[Any], Any]
    """What the methods need, made of a fitted estimator; None if it has none. Raises anything."""
    agrees: Callable[[Any, Any], bool] = trees_agree
    """Whether the estimator and its copy with the kernel give the same bits."""


_CLASSIFIER = Kernel(LinearClassifierKernel, prepare_linear, bits_agree)
_REGRESSOR = Kernel(LinearRegressorKernel, prepare_linear, bits_agree)
_HISTOGRAM = Kernel(HistogramKernel, prepare_histograms, histograms_agree)
_HISTOGRAMS = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoosting"
# By name: importing scikit-learn takes seconds, which models of other libraries need not wait for.
KERNELS = {
    "sklearn.ensemble._forest.RandomForestClassifier": Kernel(ClassifierKernel, prepare_forest),
    "sklearn.ensemble._forest.ExtraTreesClassifier": Kernel(ClassifierKernel, prepare_forest),
    "sklearn.ensemble._forest.RandomForestRegressor": Kernel(RegressorKernel, prepare_forest),
    "sklearn.ensemble._forest.ExtraTreesRegressor": Kernel(RegressorKernel, prepare_forest),
    "sklearn.ensemble._gb.GradientBoostingClassifier": Kernel(
        BoostingClassifierKernel, prepare_boosting
    ),
    "sklearn.ensemble._gb.GradientBoostingRegressor": Kernel(
        BoostingRegressorKernel, prepare_boosting
    ),
    "sklearn.ensemble._iforest.IsolationForest": Kernel(
        IsolationKernel, prepare_isolation, isolation_agrees
    ),
    f"{_HISTOGRAMS}Classifier": _HISTOGRAM,
    f"{_HISTOGRAMS}Regressor": _HISTOGRAM,
    COLUMN_TRANSFORMER: Kernel(ColumnTransformerKernel, prepare_transformer, frames_agree),
    **dict.fromkeys(TREES, Kernel(TreeKernel, prepare_tree)),
    **dict.fromkeys(CLASSIFIERS, _CLASSIFIER),
    **dict.fromkeys(REGRESSORS, _REGRESSOR),
    "sklearn.impute._base.SimpleImputer": Kernel(
        SimpleImputerKernel, prepare_imputer, bits_agree_with_missing_values
    ),
    "sklearn.preprocessing._data.StandardScaler": Kernel(
        StandardScalerKernel, prepare_standard, bits_agree_with_missing_values
    ),
    "sklearn.preprocessing._data.MinMaxScaler": Kernel(
        MinMaxScalerKernel, prepare_min_max, bits_agree_with_missing_values
    ),
}
"""Full name of the class → its kernel."""
_PREPROCESSOR = ("_preprocessor",)
_ESTIMATORS, _BEST = ("estimators_",), ("best_estimator_",)
PARTS: dict[str, tuple[str, ...]] = {
    f"{_HISTOGRAMS}Classifier": _PREPROCESSOR,
    f"{_HISTOGRAMS}Regressor": _PREPROCESSOR,
    "sklearn.pipeline.Pipeline": ("steps",),
    "sklearn.pipeline.FeatureUnion": ("transformer_list",),
    COLUMN_TRANSFORMER: ("transformers_",),
    "sklearn.compose._target.TransformedTargetRegressor": ("regressor_",),
    "sklearn.ensemble._bagging.BaggingClassifier": _ESTIMATORS,
    "sklearn.ensemble._bagging.BaggingRegressor": _ESTIMATORS,
    "sklearn.ensemble._stacking.StackingClassifier": ("estimators_", "final_estimator_"),
    "sklearn.ensemble._stacking.StackingRegressor": ("estimators_", "final_estimator_"),
    "sklearn.ensemble._voting.VotingClassifier": _ESTIMATORS,
    "sklearn.ensemble._voting.VotingRegressor": _ESTIMATORS,
    "sklearn.ensemble._weight_boosting.AdaBoostClassifier": _ESTIMATORS,
    "sklearn.ensemble._weight_boosting.AdaBoostRegressor": _ESTIMATORS,
    "sklearn.calibration.CalibratedClassifierCV": ("calibrated_classifiers_",),
    "sklearn.calibration._CalibratedClassifier": ("estimator",),
    "sklearn.frozen._frozen.FrozenEstimator": ("estimator",),
    "sklearn.model_selection._classification_threshold.FixedThresholdClassifier": ("estimator_",),
    "sklearn.model_selection._classification_threshold.TunedThresholdClassifierCV": ("estimator_",),
    "sklearn.model_selection._search.GridSearchCV": _BEST,
    "sklearn.model_selection._search.RandomizedSearchCV": _BEST,
    "sklearn.model_selection._search_successive_halving.HalvingGridSearchCV": _BEST,
    "sklearn.model_selection._search_successive_halving.HalvingRandomSearchCV": _BEST,
    "sklearn.multiclass.OneVsOneClassifier": _ESTIMATORS,
    "sklearn.multiclass.OneVsRestClassifier": _ESTIMATORS,
    "sklearn.multioutput.ClassifierChain": _ESTIMATORS,
    "sklearn.multioutput.MultiOutputClassifier": _ESTIMATORS,
    "sklearn.multioutput.MultiOutputRegressor": _ESTIMATORS,
    "sklearn.multioutput.RegressorChain": _ESTIMATORS,
    "sklearn.semi_supervised._self_training.SelfTrainingClassifier": ("estimator_",),
}
"""Full name of a meta-estimator → the attributes that hold what it asks."""
