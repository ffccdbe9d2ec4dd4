"""A model's methods are those that give one entry per row, whatever their names."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.covariance import EmpiricalCovariance
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from registry.methods import INVERSE, input_of
from workers.models.signature.inspection import inspect
from workers.models.signature.methods import answering_methods, inverse_width, method_candidates

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    ("model", "methods", "main"),
    [
        (LogisticRegression(),
         ("predict", "predict_proba", "predict_log_proba", "decision_function"), "predict"),
        (GaussianNB(),
         ("predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba"), "predict"),
        (SVC(), ("predict", "decision_function"), "predict"),
        (KNeighborsClassifier(), ("predict", "predict_proba", "kneighbors"), "predict"),
        (NearestNeighbors(), ("kneighbors",), "kneighbors"),
        (RandomForestClassifier(2),
         ("predict", "predict_proba", "predict_log_proba", "apply"), "predict"),
        (IsolationForest(n_estimators=2),
         ("predict", "decision_function", "score_samples"), "predict"),
        (LocalOutlierFactor(novelty=True),
         ("predict", "decision_function", "score_samples", "kneighbors"), "predict"),
        (GaussianMixture(2), ("predict", "predict_proba", "score_samples"), "predict"),
        (EmpiricalCovariance(), ("mahalanobis",), "mahalanobis"),
        (KMeans(2, n_init=1), ("predict", "transform"), "predict"),
        (PCA(2), ("transform", "score_samples", INVERSE), "transform"),
        (StandardScaler(), ("transform", INVERSE), "transform"),
        (make_pipeline(StandardScaler(), PCA(2)), ("transform", "score_samples", INVERSE),
         "transform"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip  # one case on a line
def test_methods_of_a_model(model, methods, main):
    signature = inspect(model.fit(X, Y), None).signature
    assert set(signature.methods) == set(methods)
    assert signature.main == main


def test_inverse_transform_takes_what_transform_gave():
    model = PCA(2).fit(X)
    signature = inspect(model, None).signature
    assert signature.inverse == 2
    taken = input_of(signature, INVERSE)
    assert [column.name for column in taken.columns] == ["x0", "x1"]
    assert (taken.named, taken.frame) == (False, False)
    assert input_of(signature, "transform") == signature


@pytest.mark.parametrize(
    "transformed",
    [np.zeros(1), np.zeros((1, 2, 2)), [np.zeros((1, 2))], None],
)
def test_inverse_transform_of_other_than_numbers_is_left_out(transformed):
    model = PCA(2).fit(X)
    answers = {} if transformed is None else {"transform": transformed}
    assert inverse_width(model, answers) is None


def test_inverse_transform_that_raises_is_left_out():
    class Oneway:
        n_features_in_ = 2

        def transform(self, x):
            return np.asarray(x)

        def inverse_transform(self, x):
            raise ValueError

    assert inspect(Oneway(), None).signature.methods == ("transform",)


class OwnAnswers:
    """A model of a user-defined class."""

    n_features_in_ = 2

    def predict(self, x):
        return np.asarray(x)[:, 0]

    def predict_quantiles(self, x):
        return np.asarray(x)

    def predict_all_rows_as_one(self, x):
        return 1.0

    def predict_broken(self, x):
        raise ValueError

    def predict_at(self, x, moment):
        return self.predict(x)

    @property
    def predict_later(self):
        raise RuntimeError

    predict_name = "own"


def test_methods_of_their_own_are_found_where_they_answer_rows():
    assert set(method_candidates(OwnAnswers())) == {
        *("predict", "predict_quantiles", "predict_all_rows_as_one", "predict_broken"),
        "predict_at",
    }
    signature = inspect(OwnAnswers(), None).signature
    assert signature.methods == ("predict", "predict_quantiles")


def test_answering_methods_are_told_with_their_answers():
    answers = answering_methods(OwnAnswers(), np.array([[1.0, 2.0], [3.0, 4.0]]), 2)
    assert {name: answer.tolist() for name, answer in answers.items()} == {
        "predict": [1.0, 3.0],
        "predict_quantiles": [[1.0, 2.0], [3.0, 4.0]],
    }


def test_sparse_answers_are_dense_and_bounded(monkeypatch):
    model = CountVectorizer().fit(["a big cat", "small cats"])
    found = inspect(model, None)
    assert found.signature.flat
    assert found.signature.main == "transform"
    (answer,) = answering_methods(model, np.array(["cat"], dtype=object), 1).values()
    assert not sparse.issparse(answer)
    monkeypatch.setattr("workers.models.tabular.outputs.MAX_DENSE_VALUES", 1)
    assert answering_methods(model, np.array(["cat"], dtype=object), 1) == {}


def test_inverse_transform_of_a_text_pipeline_is_left_out():
    signature = inspect(make_pipeline(TfidfVectorizer()).fit(["a cat", "b dog"]), None).signature
    assert signature.methods[0] == "transform"
    assert [column.type for column in signature.columns] == ["string"]
