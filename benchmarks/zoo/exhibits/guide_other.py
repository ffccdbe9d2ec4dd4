"""Examples of scikit-learn's user guide: outliers, mixtures, topics, half-labelled data, chains."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_iris, make_multilabel_classification
from sklearn.decomposition import NMF
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - the import enables the class
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import RFE
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import BayesianGaussianMixture
from sklearn.model_selection import HalvingGridSearchCV
from sklearn.multioutput import ClassifierChain
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, StandardScaler
from sklearn.semi_supervised import LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC, OneClassSVM

from benchmarks.zoo.exhibit import Exhibit, Make
from benchmarks.zoo.exhibits import frames, own

_FRESH = frames.FRESH


def _iris() -> tuple[Any, Any, Any]:
    data = load_iris(as_frame=True)
    mixed = data.frame.sample(frac=1, random_state=0).reset_index(drop=True)
    frame = mixed[data.feature_names]
    return frame[:-_FRESH], frame[-_FRESH:].reset_index(drop=True), mixed["target"][:-_FRESH]


def _half_labelled(labels: Any) -> Any:
    return np.where(np.arange(len(labels)) % 2, labels, -1)


def self_training() -> Exhibit:
    """Half of the labels are unknown."""
    frame, fresh, labels = _iris()
    model = SelfTrainingClassifier(LogisticRegression(max_iter=500))
    return Exhibit(model.fit(frame, _half_labelled(labels)), frame, fresh)


def label_spreading() -> Exhibit:
    """Missing labels filled in by neighbours, on an array."""
    frame, fresh, labels = _iris()
    model = LabelSpreading(kernel="knn").fit(frame.to_numpy(), _half_labelled(labels))
    return Exhibit(model, frame, fresh, "values")


def one_class() -> Exhibit:
    """Novelties by a support vector machine."""
    frame, fresh, _ = _iris()
    return Exhibit(OneClassSVM(nu=0.1).fit(frame), frame, fresh * 1.3)


def local_outliers() -> Exhibit:
    """Novelties by the density of neighbours."""
    frame, fresh, _ = _iris()
    model = make_pipeline(StandardScaler(), LocalOutlierFactor(novelty=True)).fit(frame)
    return Exhibit(model, frame, fresh * 1.3)


def bayesian_mixture() -> Exhibit:
    """A mixture of Gaussians, and how likely each row is."""
    frame, fresh, _ = _iris()
    return Exhibit(BayesianGaussianMixture(n_components=4, random_state=0).fit(frame), frame, fresh)


def topics() -> Exhibit:
    """Topic extraction: words, then factors; it has `transform` and its inverse."""
    words = frames.texts()
    model = make_pipeline(TfidfVectorizer(), NMF(3, random_state=0, max_iter=500)).fit(words)
    fresh = pd.DataFrame({"text": [*frames.texts(_FRESH - 1, 1), "nothing known"]})
    return Exhibit(model, pd.DataFrame({"text": words}), fresh, "texts")


def discretized() -> Exhibit:
    """Columns in bins; there is no `predict`, and the answer is sparse."""
    frame, fresh, _ = _iris()
    model = KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf").fit(frame)
    return Exhibit(model, frame, fresh)


def eliminated_features() -> Exhibit:
    """Recursive elimination: a search over columns, most of which it does not use."""
    data = load_breast_cancer(as_frame=True)
    frame, fresh = data.data[:-_FRESH], data.data[-_FRESH:].reset_index(drop=True)
    forest = RandomForestClassifier(10, random_state=0)
    model = RFE(forest, n_features_to_select=5, step=5).fit(frame, data.target[:-_FRESH])
    return Exhibit(model, frame, fresh)


def chained_classifiers() -> Exhibit:
    """Several labels, each a feature of the next."""
    x, y = make_multilabel_classification(n_samples=150, n_classes=3, random_state=0)
    frame = pd.DataFrame(x).rename(columns=lambda n: f"count {n}")
    model = ClassifierChain(LogisticRegression(max_iter=500), order="random", random_state=0)
    return Exhibit(model.fit(frame[:-_FRESH], y[:-_FRESH]), frame, frame[-_FRESH:])


def halving_search() -> Exhibit:
    """Successive halving over a support vector machine."""
    frame, fresh, labels = _iris()
    model = HalvingGridSearchCV(SVC(), {"C": [0.1, 1, 10]}, cv=3, random_state=0)
    return Exhibit(model.fit(frame, labels), frame, fresh)


def lagged_series() -> Exhibit:
    """Forecasting with lagged features, differences of which a function makes."""
    draw = frames.chance(0)
    series = pd.Series(np.cumsum(draw.normal(0, 1, 200)))
    frame = pd.DataFrame({f"lag{n}": series.shift(n) for n in (1, 2, 7)}).iloc[7:]
    model = make_pipeline(
        FunctionTransformer(own.lags), GradientBoostingRegressor(n_estimators=20, random_state=0)
    )
    frame = frame.reset_index(drop=True)
    model.fit(frame, series.iloc[7:])
    return Exhibit(model, frame, frame.tail(_FRESH).reset_index(drop=True) + 0.5)


def hashed_words() -> Exhibit:
    """A hasher of strings, a list of words a row, which a function makes of text."""
    words = frames.texts()
    model = make_pipeline(
        FunctionTransformer(_words), FeatureHasher(32, input_type="string"), LogisticRegression()
    ).fit(words, frames.telling(words))
    fresh = pd.DataFrame({"text": frames.texts(_FRESH, 1)})
    return Exhibit(model, pd.DataFrame({"text": words}), fresh, "texts")


def _words(rows: Any) -> list[list[str]]:
    return [text.split() for text in rows]


EXHIBITS: tuple[Make, ...] = (
    self_training,
    label_spreading,
    one_class,
    local_outliers,
    bayesian_mixture,
    topics,
    discretized,
    eliminated_features,
    chained_classifiers,
    halving_search,
    lagged_series,
    hashed_words,
)
