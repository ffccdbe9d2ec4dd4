"""Linear models: their input is validated shortly. The product is scikit-learn's own."""

from typing import Any

import numpy as np

from workers.models.kernels.comparing import same_bits
from workers.models.kernels.validated import linear_rows
from workers.models.tabular.columns import Array

MAX_COMPARED_VALUES = 2**20
"""Most values of the rows that are compared, for models of many columns."""
CLASSIFIERS = (
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._logistic.LogisticRegressionCV",
    "sklearn.linear_model._ridge.RidgeClassifier",
    "sklearn.linear_model._ridge.RidgeClassifierCV",
    "sklearn.linear_model._stochastic_gradient.SGDClassifier",
    "sklearn.svm._classes.LinearSVC",
)
REGRESSORS = (
    "sklearn.linear_model._base.LinearRegression",
    "sklearn.linear_model._bayes.ARDRegression",
    "sklearn.linear_model._bayes.BayesianRidge",
    "sklearn.linear_model._coordinate_descent.ElasticNet",
    "sklearn.linear_model._coordinate_descent.ElasticNetCV",
    "sklearn.linear_model._coordinate_descent.Lasso",
    "sklearn.linear_model._coordinate_descent.LassoCV",
    "sklearn.linear_model._huber.HuberRegressor",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.linear_model._ridge.RidgeCV",
    "sklearn.svm._classes.LinearSVR",
)


class LinearClassifierKernel:
    """Overrides `decision_function`; the other methods call it."""

    def decision_function(self, X: Any) -> Any:
        """See `sklearn.linear_model.LogisticRegression`."""
        rows = linear_rows(self, X)
        if rows is None:
            return super().decision_function(X)  # type: ignore[misc]  # of scikit-learn's class
        linear: Any = self
        scores = rows @ linear.coef_.T + linear.intercept_
        return scores.reshape(-1) if scores.shape[1:] == (1,) else scores


class LinearRegressorKernel:
    """Overrides what `predict` calls."""

    def _decision_function(self, X: Any) -> Any:
        rows = linear_rows(self, X)
        if rows is None:
            return super()._decision_function(X)  # type: ignore[misc]  # of scikit-learn's class
        linear: Any = self
        return rows @ linear.coef_.T + linear.intercept_


def prepare_linear(linear: Any) -> bool | None:
    """None unless the coefficients are dense floats; there is nothing else to prepare."""
    coef = getattr(linear, "coef_", None)
    return True if type(coef) is np.ndarray and coef.dtype == np.float64 else None


def bits_agree(original: Any, twin: Any) -> bool:
    """Whether both give the same bits for random rows."""
    return same_bits(original, twin, random_rows(original))


def bits_agree_with_missing_values(original: Any, twin: Any) -> bool:
    """Whether both give the same bits for random rows of which some values are missing."""
    rows = random_rows(original)
    rows[np.random.default_rng(1).random(rows.shape) < 1 / 8] = np.nan
    return same_bits(original, twin, rows)


def random_rows(estimator: Any) -> Array:
    """Rows (rows, columns) of many magnitudes, and zeros."""
    columns, random = estimator.n_features_in_, np.random.default_rng(0)
    shape = max(1, min(64, MAX_COMPARED_VALUES // columns)), columns
    rows = random.normal(size=shape) * 10.0 ** random.integers(-3, 6, size=shape)
    rows[random.random(shape) < 1 / 16] = 0
    return rows
