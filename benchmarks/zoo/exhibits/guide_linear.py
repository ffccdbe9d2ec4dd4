"""Examples of scikit-learn's user guide: linear models, kernels, neighbours, searches."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_linnerud
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
    RidgeCV,
    SGDClassifier,
    TweedieRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    OneHotEncoder,
    SplineTransformer,
    StandardScaler,
)

from benchmarks.zoo.exhibit import Exhibit, Make
from benchmarks.zoo.exhibits import frames

_FRESH = frames.FRESH


def _split(frame: Any) -> tuple[Any, Any]:
    """What trains, and the last rows, which are asked for."""
    return frame.iloc[:-_FRESH], frame.iloc[-_FRESH:].reset_index(drop=True)


def _diabetes() -> tuple[Any, Any, Any]:
    data = load_diabetes(as_frame=True)
    frame, fresh = _split(data.data)
    return frame, fresh, data.target.iloc[: len(frame)]


def _digits() -> tuple[Any, Any, Any]:
    images, labels = load_digits(return_X_y=True)
    frame, fresh = _split(pd.DataFrame(images[:400]))
    return frame, fresh, labels[: len(frame)]


def mixed_types() -> Exhibit:
    """Column transformer with mixed types, on passengers."""
    frame = frames.titanic()
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encode = make_column_transformer(
        (numbers, ["Age", "Fare"]),
        (OneHotEncoder(handle_unknown="ignore"), ["Embarked", "Sex", "Pclass"]),
    )
    model = make_pipeline(encode, LogisticRegression()).fit(frame, frames.survived(frame))
    return Exhibit(model, frame, frames.titanic(_FRESH, 1))


def text_by_sgd() -> Exhibit:
    """Working with text: words and pairs of them, and a linear classifier."""
    words = frames.texts()
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), SGDClassifier(random_state=0))
    model.fit(words, frames.telling(words))
    fresh = pd.DataFrame({"text": [*frames.texts(_FRESH - 2, 1), "null", "3.5"]})
    return Exhibit(model, pd.DataFrame({"text": words}), fresh, "texts")


def components_and_search() -> Exhibit:
    """Pipelining: components and a logistic regression, by grid search."""
    frame, fresh, labels = _digits()
    steps = make_pipeline(StandardScaler(), PCA(8), LogisticRegression(max_iter=300))
    model = GridSearchCV(steps, {"pca__n_components": [4, 8]}, cv=2)
    return Exhibit(model.fit(frame.to_numpy(), labels), frame, fresh, "values")


def gaussian_process() -> Exhibit:
    """Gaussian process regression, on a frame."""
    frame, fresh, target = _diabetes()
    model = GaussianProcessRegressor(alpha=1.0, normalize_y=True, optimizer=None)
    return Exhibit(model.fit(frame, target), frame, fresh)


def isotonic_regression() -> Exhibit:
    """One column, and answers of NaN outside of what it saw."""
    draw = frames.chance(0)
    x = np.sort(draw.random(80))
    model = IsotonicRegression(out_of_bounds="nan").fit(x, x + draw.normal(0, 0.1, 80))
    fresh = pd.DataFrame({"x": np.linspace(-0.2, 1.2, _FRESH)})
    return Exhibit(model, pd.DataFrame({"x": x}), fresh, "values")


def kernel_ridge() -> Exhibit:
    """Kernel ridge regression."""
    frame, fresh, target = _diabetes()
    return Exhibit(KernelRidge(kernel="rbf").fit(frame, target), frame, fresh)


def neural_network() -> Exhibit:
    """A multi-layer perceptron on digits."""
    frame, fresh, labels = _digits()
    model = MLPClassifier((16,), max_iter=60, random_state=0).fit(frame.to_numpy(), labels)
    return Exhibit(model, frame, fresh, "values")


def neighbourhood_components() -> Exhibit:
    """Nearest neighbours behind neighbourhood components, with names of flowers."""
    data = load_iris(as_frame=True)
    mixed = data.frame.sample(frac=1, random_state=0)
    frame, fresh = _split(mixed[data.feature_names])
    labels = data.target_names[mixed["target"].iloc[: len(frame)]]
    nearest = make_pipeline(
        StandardScaler(), NeighborhoodComponentsAnalysis(2, random_state=0), KNeighborsClassifier(3)
    )
    return Exhibit(nearest.fit(frame, labels), frame, fresh)


def voting_regressor() -> Exhibit:
    """Individual and voting regression predictions."""
    frame, fresh, target = _diabetes()
    members = [
        ("boosting", GradientBoostingRegressor(n_estimators=10, random_state=0)),
        ("forest", RandomForestRegressor(10, random_state=0)),
        ("ridge", Ridge()),
    ]
    return Exhibit(VotingRegressor(members).fit(frame, target), frame, fresh)


def stacked_regressors() -> Exhibit:
    """Combine predictors using stacking; each has a pipeline of its own."""
    frame = frames.houses()[["Neighborhood", "Area5", "Count1", "Lot1"]]
    linear = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["Neighborhood"]), remainder=SimpleImputer()
    )
    trees = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["Neighborhood"]), remainder="passthrough"
    )
    members = [
        ("linear", make_pipeline(linear, Ridge())),
        ("forest", make_pipeline(trees, RandomForestRegressor(10, random_state=0))),
    ]
    model = StackingRegressor(members, RidgeCV(), cv=3).fit(frame, frames.prices(frame))
    fresh = frames.houses(_FRESH, 1)[[*frame.columns]]
    fresh.loc[0, "Neighborhood"] = "Elsewhere"
    return Exhibit(model, frame, fresh)


def partial_least_squares() -> Exhibit:
    """Three targets at once."""
    data = load_linnerud(as_frame=True)
    model = PLSRegression(2).fit(data.data, data.target)
    return Exhibit(model, data.data, data.data.tail(5).reset_index(drop=True) * 1.5)


def quantile_regression() -> Exhibit:
    """The 90th percentile."""
    frame, fresh, target = _diabetes()
    return Exhibit(QuantileRegressor(quantile=0.9, alpha=0).fit(frame, target), frame, fresh)


def poisson_on_claims() -> Exhibit:
    """Poisson regression of claims: bins, categories and logarithms."""
    frame = _claims(frames.ROWS, 0)
    encode = make_column_transformer(
        (KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"), ["VehAge", "DrivAge"]),
        (OneHotEncoder(), ["VehBrand", "Region"]),
        ("passthrough", ["BonusMalus"]),
    )
    model = make_pipeline(encode, PoissonRegressor(alpha=1e-3, max_iter=300))
    model.fit(frame, frame["VehAge"] % 4)
    return Exhibit(model, frame, _claims(_FRESH, 1))


def _claims(rows: int, seed: int) -> Any:
    draw = frames.chance(seed)
    return pd.DataFrame(
        {
            "VehAge": draw.integers(0, 20, rows),
            "DrivAge": draw.integers(18, 90, rows),
            "VehBrand": pd.Categorical(draw.choice(["B1", "B2", "B12"], rows)),
            "Region": draw.choice(["R24", "R82"], rows),
            "BonusMalus": draw.integers(50, 150, rows),
        }
    )


def tweedie_on_claims() -> Exhibit:
    """Tweedie regression; `VehBrand` is text here, and `Region` a number that is text."""
    frame = (
        _claims(frames.ROWS, 0).astype({"VehBrand": str}).assign(Region=lambda f: f.Region.str[1:])
    )
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["VehBrand", "Region"]), remainder=StandardScaler()
    )
    model = make_pipeline(encode, TweedieRegressor(power=1.5, alpha=0.1))
    model.fit(frame, 1.0 + frame["DrivAge"] / 10)
    fresh = _claims(_FRESH, 1).astype({"VehBrand": str}).assign(Region=lambda f: f.Region.str[1:])
    fresh.loc[0, "Region"] = "07"
    return Exhibit(model, frame, fresh)


def periodic_splines() -> Exhibit:
    """Cyclical features: hours and months by periodic splines."""
    draw = frames.chance(0)
    frame = pd.DataFrame(
        {
            "hour": draw.integers(0, 24, 300),
            "month": draw.integers(1, 13, 300),
            "workingday": draw.choice(["True", "False"], 300),
            "temp": draw.normal(15, 9, 300),
        }
    )
    splines = {
        name: SplineTransformer(
            n_knots=5, knots=np.linspace(0, period, 5).reshape(5, 1), extrapolation="periodic"
        )
        for name, period in {"hour": 24, "month": 12}.items()
    }
    encode = make_column_transformer(
        *((spline, [name]) for name, spline in splines.items()),
        (OneHotEncoder(handle_unknown="ignore"), ["workingday"]),
        remainder=StandardScaler(),
    )
    model = make_pipeline(encode, RidgeCV()).fit(frame, frame["hour"] * 3 + frame["temp"])
    fresh = frame.tail(_FRESH).reset_index(drop=True)
    return Exhibit(model, frame, fresh.assign(hour=fresh["hour"] + 3))


def completed_images() -> Exhibit:
    """Multi-output regression: the lower half of a digit from its upper half."""
    frame, fresh, _ = _digits()
    upper, lower = frame.to_numpy()[:, :32], frame.to_numpy()[:, 32:]
    model = ExtraTreesRegressor(5, max_features=16, random_state=0).fit(upper, lower)
    return Exhibit(model, frame.iloc[:, :32], fresh.iloc[:, :32], "values")


EXHIBITS: tuple[Make, ...] = (
    mixed_types,
    text_by_sgd,
    components_and_search,
    gaussian_process,
    isotonic_regression,
    kernel_ridge,
    neural_network,
    neighbourhood_components,
    voting_regressor,
    stacked_regressors,
    partial_least_squares,
    quantile_regression,
    poisson_on_claims,
    tweedie_on_claims,
    periodic_splines,
    completed_images,
)
