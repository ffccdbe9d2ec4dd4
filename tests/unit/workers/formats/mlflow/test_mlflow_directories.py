"""Directories as MLflow 3.17 saves them are served from the file of their flavor."""

import importlib
import json
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType

import lightgbm
import numpy as np
import pandas as pd
import pytest
import skops.io
import xgboost
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from registry.store import Registry
from telemetry.errors import Invalid, ModelUnloadable, UntrustedArtifact
from workers.gate.comparing import differences
from workers.models.artifacts import load_artifact, open_artifact
from workers.models.formats import archive
from workers.models.formats.mlflow import directory as reading
from workers.models.formats.mlflow.pyfunc import load_pyfunc
from workers.models.formats.model_format import LoadOptions
from workers.models.registration import examine

X, Y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])
MLMODEL = """\
flavors:
  python_function:
    env: {{conda: conda.yaml, virtualenv: python_env.yaml}}
    loader_module: mlflow.{flavor}
    python_version: 3.11.7
  {flavor}:
    code: null
    {key}: {file}
mlflow_version: 3.17.2
model_id: null
signature:
  inputs: '{inputs}'
  params: null
utc_time_created: '2026-11-30 08:29:42.922514'
"""
INPUTS = [{"type": "double", "name": name, "required": True} for name in FRAME]


def saved(path, flavor, file, content, *, inputs=INPUTS, key="data"):
    path.mkdir()
    (path / file).write_bytes(content)
    (path / "requirements.txt").write_text("mlflow==3.17.2\nscikit-learn==1.9.1\n")
    text = MLMODEL.format(flavor=flavor, key=key, file=file, inputs=json.dumps(inputs))
    (path / "MLmodel").write_text(text)
    return path


def sklearn_pickle(path):
    model = LogisticRegression(max_iter=300).fit(X, Y)
    return model, saved(path, "sklearn", "model.pkl", pickle.dumps(model), key="pickled_model")


def sklearn_skops(path):
    model = LogisticRegression(max_iter=300).fit(FRAME, Y)
    content = skops.io.dumps(model)
    return model, saved(path, "sklearn", "model.skops", content, key="pickled_model")


def xgboost_ubj(path):
    model = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(FRAME, Y)
    return model, saved(path, "xgboost", "model.ubj", bytes(model.get_booster().save_raw("ubj")))


def lightgbm_text(path):
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(FRAME, Y)
    content = model.booster_.model_to_string().encode()
    return model, saved(path, "lightgbm", "model.lgb", content)


def onnx(path):
    model = LogisticRegression(max_iter=300).fit(X, Y)
    content = to_onnx(model, X[:1].astype(np.float32)).SerializeToString()
    return model, saved(path, "onnx", "model.onnx", content)


FLAVORS = [
    (sklearn_pickle, "pickle"),
    (sklearn_skops, "skops"),
    (xgboost_ubj, "xgboost"),
    (lightgbm_text, "lightgbm"),
    (onnx, "onnx"),
]


@pytest.mark.usefixtures("without_trial")
@pytest.mark.parametrize(("save", "kind"), FLAVORS, ids=[kind for _, kind in FLAVORS])
def test_mlflow_directory_is_served_from_the_file_of_its_flavor(tmp_path, save, kind):
    own, path = save(tmp_path / "model")
    found = examine(path, trust=kind == "pickle", sample=FRAME)
    assert found.description.format == kind
    assert found.description.signature.named
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    assert found.description.declared["flavor"].endswith("of MLflow 3.17.2")
    assert found.description.declared["inputs"] == "a double, b double, c double, d double"
    assert found.description.declared["requirements"] == "mlflow==3.17.2, scikit-learn==1.9.1"
    manifest = Registry(tmp_path).add("m", found.description, found.content)
    again = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    tolerance = 1e-5 if kind == "onnx" else 0
    given = FRAME if hasattr(own, "feature_names_in_") else X
    assert np.allclose(again.predict_proba(given), own.predict_proba(given), atol=tolerance)


@pytest.mark.usefixtures("without_trial")
def test_mlflow_signature_names_the_columns_without_a_sample(tmp_path):
    _, path = sklearn_pickle(tmp_path / "model")
    signature = examine(path, trust=True).description.signature
    assert [column.name for column in signature.columns] == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("without_trial")
def test_mlflow_tensor_signature_names_no_columns(tmp_path):
    tensor = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}}]
    content = pickle.dumps(LogisticRegression(max_iter=300).fit(X, Y))
    path = saved(
        tmp_path / "m", "sklearn", "model.pkl", content, inputs=tensor, key="pickled_model"
    )
    assert not examine(path, trust=True).description.signature.named


def test_mlflow_pickle_needs_trust(tmp_path):
    _, path = sklearn_pickle(tmp_path / "model")
    with pytest.raises(UntrustedArtifact, match="--trust"):
        open_artifact(path, trust=False)


def generic(path):
    path.mkdir()
    (path / "python_model.pkl").write_bytes(b"")
    (path / "MLmodel").write_text("flavors: {python_function: {loader_module: mlflow.pyfunc}}")
    return path


def test_mlflow_function_is_kept_whole_and_needs_mlflow(tmp_path):
    path = generic(tmp_path / "model")
    with pytest.raises(UntrustedArtifact, match="--trust"):
        open_artifact(path, trust=False)
    with pytest.raises(Invalid, match="give a --sample"):
        examine(path, trust=True)
    with pytest.raises(ModelUnloadable, match="mlflow is not installed: pip install mlflow-skinny"):
        examine(path, trust=True, sample=FRAME)


class OfShop:
    """Imports from the directory of code at each call, as a model of MLflow may do."""

    def predict(self, given):
        return np.full(len(given), importlib.import_module("shop.factor").FACTOR)


def load_like_mlflow(path):
    """MLflow puts the directory of code on the search path for good."""
    sys.path = [f"{path}/code", *sys.path]
    importlib.import_module("shop")
    return OfShop()


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    module = ModuleType("mlflow.pyfunc")
    module.load_model = load_like_mlflow
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", module)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.usefixtures("mlflow")
def test_mlflow_code_of_two_versions_stays_apart_and_writes_no_bytecode(tmp_path):
    before = [*sys.path]
    models = []
    for factor in (2, 3):
        files = {
            "MLmodel": b"",
            "code/shop/__init__.py": b"",
            "code/shop/factor.py": f"FACTOR = {factor}".encode(),
        }
        models.append(load_pyfunc(archive.packed(files), LoadOptions(trust=True)))
    for _ in range(2):
        assert [model.predict(FRAME[:1]).tolist() for model in models] == [[2], [3]]
    assert sys.path == before
    assert "shop" not in sys.modules
    assert not [*Path(tmp_path, "cache").rglob("__pycache__")]


def test_mlflow_flavor_with_code_beside_it_is_left_to_mlflow(tmp_path):
    _, path = sklearn_pickle(tmp_path / "model")
    text = (path / "MLmodel").read_text()
    (path / "MLmodel").write_text(text.replace("code: null", "code: code"))
    assert archive.names_in(reading.read_mlflow(path).content) == [
        "MLmodel",
        "model.pkl",
        "requirements.txt",
    ]


@pytest.mark.parametrize("key", ["mlflow_version: 3.17.2", "pickled_model: model.pkl"])
def test_mlflow_aliases_are_not_written_out(tmp_path, key):
    _, path = sklearn_pickle(tmp_path / "model")
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 5)]
    bomb = "\n".join([f"a0: &a0 [{'x' * 20}]", *levels])
    text = (path / "MLmodel").read_text().replace(key, f"{key.partition(':')[0]}: *a4")
    (path / "MLmodel").write_text(f"{bomb}\n{text}")
    if key.startswith("mlflow"):
        assert reading.read_mlflow(path).declared["flavor"].endswith("of an unknown version")
        return
    with pytest.raises(ModelUnloadable, match="names the file of a list, which is not in it"):
        reading.read_mlflow(path)


def link_out(path):
    (path / "away").symlink_to("/etc/passwd")


def linked_directory(path):
    (path / "code").symlink_to("/etc", target_is_directory=True)


def special_file(path):
    os.mkfifo(path / "pipe")


def named_outside(path):
    text = (path / "MLmodel").read_text()
    (path / "MLmodel").write_text(text.replace("model.pkl", "../model.pkl"))


def broken(text):
    def write(path):
        (path / "MLmodel").write_text(text)

    return write


HOSTILE = [
    (link_out, "has a symbolic link"),
    (linked_directory, "has a symbolic link"),
    (special_file, "not a plain file"),
    (named_outside, "names the file '../model.pkl', which is not in it"),
    (broken("flavors: {sklearn: {pickled_model: [1]}}"), "which is not in it"),
    (broken("flavors: [sklearn]"), "names no flavors"),
    (broken("- 1"), "names no flavors"),
    (broken("flavors: {sklearn: "), "is not YAML"),
    (broken("flavors: !!python/object/apply:os.system [ls]"), "is not YAML"),
    (broken("flavors: {spark: {}}"), "none of sklearn, xgboost"),
    (broken("x" * 2**20 + "y"), "larger than 1,048,576 bytes"),
    (lambda path: (path / "MLmodel").unlink(), "a directory without MLmodel"),
    (lambda path: (path / "model.pkl").write_bytes(b""), "its content is none of"),
]


@pytest.mark.parametrize(("change", "told"), HOSTILE, ids=range(len(HOSTILE)))
def test_mlflow_directory_that_is_hostile_or_broken_is_refused(tmp_path, change, told):
    _, path = sklearn_pickle(tmp_path / "model")
    change(path)
    with pytest.raises(ModelUnloadable, match=told):
        open_artifact(path, trust=True)


def test_mlflow_directory_that_is_too_large_is_refused(tmp_path, monkeypatch):
    _, path = sklearn_pickle(tmp_path / "model")
    monkeypatch.setattr(archive, "MOST_BYTES", 100)
    with pytest.raises(ModelUnloadable, match="more than 100 bytes together"):
        open_artifact(path, trust=True)
    monkeypatch.setattr(archive, "MOST_FILES", 2)
    with pytest.raises(ModelUnloadable, match="it has 3 files; at most 2 are kept"):
        open_artifact(path, trust=True)
