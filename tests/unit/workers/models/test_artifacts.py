"""Artifacts: trust, refusals, and that a loaded model is the same model."""

import gzip
import hashlib
import pickle
import sys
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from msgspec.structs import replace
from sklearn.cluster import DBSCAN
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import ArtifactMismatch, ModelUnloadable, UntrustedArtifact
from workers.models.artifacts import load_artifact, open_artifact
from workers.models.registration import describe_model

X, Y = load_iris(return_X_y=True)


class Evil:
    """Unpickling it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def shout(values):
    return values * 2


@pytest.fixture
def model():
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)


def registered(home: Path, file: Path, **options) -> tuple[Path, Manifest]:
    registry = Registry(home)
    manifest = registry.add("iris", *describe_model(file, **options))
    return registry.artifact(manifest), manifest


ESTIMATORS = [
    make_pipeline(StandardScaler(), LogisticRegression()),
    RandomForestClassifier(5),
    HistGradientBoostingClassifier(max_iter=5),
    MLPClassifier((5,), max_iter=5),
    SVC(),
    KNeighborsClassifier(),
    make_pipeline(
        ColumnTransformer([("n", StandardScaler(), [0, 1]), ("c", OneHotEncoder(), [2])]),
        LogisticRegression(),
    ),
    GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_skops_file_needs_no_trust_and_loads_the_same_model(tmp_path, estimator):
    estimator.fit(X, Y)
    skops.io.dump(estimator, tmp_path / "model.skops")
    again = load_artifact(*registered(tmp_path, tmp_path / "model.skops")).estimator
    assert np.array_equal(again.predict(X), estimator.predict(X))


@pytest.mark.parametrize(
    ("name", "dump"),
    [
        ("m.joblib", joblib.dump),
        ("m.joblib", lambda m, p: joblib.dump(m, p, compress=("xz", 3))),
        ("m.pkl", lambda m, p: p.write_bytes(pickle.dumps(m))),
        ("m.pkl", joblib.dump),
        ("m.PICKLE", lambda m, p: p.write_bytes(gzip.compress(pickle.dumps(m)))),
    ],
)
def test_joblib_and_pickle_files_load_once_trusted(tmp_path, model, name, dump):
    path = tmp_path / name
    dump(model, path)
    with pytest.raises(UntrustedArtifact, match="--trust"):
        open_artifact(path, trust=False)
    again = load_artifact(*registered(tmp_path, path, trust=True)).estimator
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("key", ["model", "estimator", "pipeline"])
@pytest.mark.parametrize("names", ["feature_names", "features", "columns"])
def test_artifact_as_a_dictionary_carries_names(tmp_path, model, key, names):
    skops.io.dump({key: model, names: ["a", "b", "c", "d"]}, tmp_path / "m.skops")
    loaded = open_artifact(tmp_path / "m.skops", trust=False)
    assert loaded.feature_names == ["a", "b", "c", "d"]
    artifact, manifest = registered(tmp_path, tmp_path / "m.skops")
    again = load_artifact(artifact, manifest).estimator
    assert np.array_equal(again.predict(X), model.predict(X))


def test_untrusted_artifact_runs_nothing(tmp_path):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    with pytest.raises(UntrustedArtifact):
        open_artifact(tmp_path / "m.pkl", trust=False)
    assert not (tmp_path / "ran").exists()


def test_untrusted_manifest_never_unpickles(tmp_path, model):
    joblib.dump(model, tmp_path / "m.joblib")
    artifact, manifest = registered(tmp_path, tmp_path / "m.joblib", trust=True)
    with pytest.raises(UntrustedArtifact):
        load_artifact(artifact, replace(manifest, trusted=False))


def test_unknown_types_in_a_skops_file_are_named(tmp_path):
    model = make_pipeline(FunctionTransformer(shout), LogisticRegression()).fit(X, Y)
    skops.io.dump(model, tmp_path / "m.skops")
    with pytest.raises(UntrustedArtifact, match=r"test_artifacts\.shout.*--trust"):
        open_artifact(tmp_path / "m.skops", trust=False)
    assert open_artifact(tmp_path / "m.skops", trust=True).estimator.predict(X[:1]).shape == (1,)


def test_changed_or_missing_bytes_are_refused(tmp_path, model):
    skops.io.dump(model, tmp_path / "m.skops")
    artifact, manifest = registered(tmp_path, tmp_path / "m.skops")
    assert manifest.sha256 == hashlib.sha256(artifact.read_bytes()).hexdigest()
    artifact.write_bytes(artifact.read_bytes()[:-1] + b"!")
    with pytest.raises(ArtifactMismatch, match="iris:1 was changed"):
        load_artifact(artifact, manifest)
    artifact.unlink()
    with pytest.raises(ModelUnloadable, match="No such file"):
        load_artifact(artifact, manifest)


@pytest.mark.parametrize("name", ["m.skops", "m.joblib", "m.pkl"])
@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04", b"\x80\x04."])
def test_corrupt_artifact_is_unloadable(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelUnloadable, match="cannot be loaded"):
        open_artifact(tmp_path / name, trust=True)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ([1, 2], "m.joblib holds list, which cannot predict"),
        ((1, ["a"]), 'which cannot predict: save the model alone, or as {"model": model'),
        (
            (DummyRegressor(), StandardScaler()),
            r"holds a tuple of several objects: 0 \(DummyRegressor\), .*; put all steps into",
        ),
        (
            GridSearchCV(Ridge(), {"alpha": [1]}, refit=False, cv=2).fit(X, X[:, 0]),
            "GridSearchCV with refit=False, which keeps no model: fit it with refit=True",
        ),
        ({"weights": 1}, "a dictionary without a model; it has 'weights': save the model alone"),
        (
            {"low": DummyRegressor(), "high": DummyRegressor()},
            r"several models: 'low' \(DummyRegressor\), 'high' .*; register each by itself",
        ),
        (
            {"model": DummyRegressor(), "scaler": StandardScaler(), "threshold": 0.4},
            r"also holds 'scaler' \(StandardScaler\), which would not be applied to the rows",
        ),
        ({"model": "x"}, "holds str, which cannot predict"),
        (DBSCAN().fit(X), "holds DBSCAN, which knows only the rows that it was fitted on"),
    ],
)
def test_object_that_cannot_predict_is_no_model(tmp_path, made, told):
    joblib.dump(made, tmp_path / "m.joblib")
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(tmp_path / "m.joblib", trust=True)


def test_only_model_of_a_dictionary_is_found_under_any_key(tmp_path, model):
    data = pd.DataFrame(X)  # has methods with the names of a model's
    joblib.dump({"clf": model, "columns": list("abcd"), "training": data}, tmp_path / "m.joblib")
    found = open_artifact(tmp_path / "m.joblib", trust=True)
    assert np.array_equal(found.estimator.predict(X), model.predict(X))
    assert found.feature_names == list("abcd")


def test_file_of_code_is_refused_with_the_way_to_name_it(tmp_path):
    (tmp_path / "rules.py").write_text("def score(rows): ...")
    with pytest.raises(ModelUnloadable, match=r"by its name, such as .*rules.py:predict"):
        open_artifact(tmp_path / "rules.py", trust=True)


@pytest.mark.parametrize("function", [np.linalg.norm, partial(np.linalg.norm, axis=1)])
def test_pickled_function_is_a_model(tmp_path, function):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(function))
    model = open_artifact(tmp_path / "m.pkl", trust=True).estimator
    assert np.array_equal(model.predict(X), function(X))


@pytest.mark.parametrize("name", ["model.onnx", "model.json", "model.cbm", "model.skops", "model"])
def test_untrusted_pickle_runs_nothing_whatever_its_name(tmp_path, name):
    for protocol in range(6):
        (tmp_path / name).write_bytes(pickle.dumps(Evil(tmp_path / "ran"), protocol))
        with pytest.raises(UntrustedArtifact, match="--trust"):
            open_artifact(tmp_path / name, trust=False)
    assert not (tmp_path / "ran").exists()


class Quits:
    def __reduce__(self):
        return sys.exit, (3,)


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (SVC, "contains a class, not a fitted model: SVC"),
        (Quits(), "cannot be loaded: SystemExit: 3"),
        ({"model": SVC(), "features": "abcd"}, "'features' must be a list of names"),
        ({"model": SVC(), "features": ["a", None]}, "'features' must be a list of names"),
        ({"model": SVC(), "features": ["a", "b", "a"]}, "'features' names a more than once"),
    ],
)
def test_fault_of_an_artifact_is_reported(tmp_path, made, told):
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(made))
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(tmp_path / "m.pkl", trust=True)


def test_unreadable_artifact_is_reported_without_its_path(tmp_path, model):
    skops.io.dump(model, tmp_path / "m.skops")
    artifact, manifest = registered(tmp_path, tmp_path / "m.skops")
    artifact.unlink()
    with pytest.raises(ModelUnloadable, match="^the artifact of iris:1 cannot be read: No such"):
        load_artifact(artifact, manifest)
