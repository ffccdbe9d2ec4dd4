"""Files of XGBoost, LightGBM and CatBoost give the answers of the estimators that were saved."""

import pickle
import sys
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.datasets import load_iris

from registry.store import Registry
from telemetry.errors import ModelUnloadable
from workers.gate.comparing import differences
from workers.models.artifacts import load_artifact, open_artifact
from workers.models.formats.all_formats import runtime_name
from workers.models.formats.libraries.catboost_file import load_catboost
from workers.models.formats.libraries.xgboost_file import load_xgboost
from workers.models.formats.model_format import LoadOptions
from workers.models.registration import examine

X, Y = load_iris(return_X_y=True)
TREES = 5


def mixed(text: bool = False) -> pd.DataFrame:
    """Numbers with a missing one, and a category, or its text."""
    kind = pd.Series(np.where(X[:, 2] > 3, "x", "z"))
    frame = pd.DataFrame(
        {"a": X[:, 0], "b": X[:, 1], "kind": kind if text else pd.Categorical(kind)}
    )
    frame.loc[3, "a"] = np.nan
    return frame


def xgboost_file(directory: Path, suffix: str, given: Any, target: Any, kind: str) -> Any:
    estimator = getattr(xgboost, f"XGB{kind}")(n_estimators=TREES, enable_categorical=True)
    estimator.fit(given, target).save_model(directory / f"model.{suffix}")
    return estimator


def lightgbm_file(directory: Path, suffix: str, given: Any, target: Any, kind: str) -> Any:
    estimator = getattr(lightgbm, f"LGBM{kind}")(n_estimators=TREES, verbose=-1, n_jobs=1)
    estimator.fit(given, target).booster_.save_model(directory / f"model.{suffix}")
    return estimator


def catboost_file(directory: Path, suffix: str, given: Any, target: Any, kind: str) -> Any:
    named = ["kind"] if isinstance(given, pd.DataFrame) else None
    estimator = getattr(catboost, f"CatBoost{kind}")(
        TREES, verbose=0, allow_writing_files=False, cat_features=named, thread_count=1
    )
    estimator.fit(given, target).save_model(str(directory / f"model.{suffix}"))
    return estimator


SAVERS = [
    (xgboost_file, "json"),
    (xgboost_file, "ubj"),
    (lightgbm_file, "txt"),
    (catboost_file, "cbm"),
]
IDS = ["xgboost-json", "xgboost-ubj", "lightgbm", "catboost"]
each_saver = pytest.mark.parametrize(("save", "suffix"), SAVERS, ids=IDS)


@pytest.mark.parametrize(
    ("save", "suffix", "kind", "framed"),
    [
        (xgboost_file, "json", "Classifier", True),
        (xgboost_file, "ubj", "Regressor", False),
        (lightgbm_file, "txt", "Classifier", True),
        (lightgbm_file, "txt", "Regressor", False),
        (catboost_file, "cbm", "Classifier", True),
        (catboost_file, "cbm", "Regressor", False),
    ],
)
def test_booster_file_passes_the_gate_and_answers_exactly(tmp_path, save, suffix, kind, framed):
    given = mixed(text=save is catboost_file) if framed else X
    own = save(tmp_path, suffix, given, Y if kind == "Classifier" else X[:, 3], kind)
    (tmp_path / f"model.{suffix}").rename(tmp_path / "model.any")
    found = examine(tmp_path / "model.any", sample=pd.DataFrame(given))
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    manifest = Registry(tmp_path).add("m", found.description, found.content)
    again = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    for method in ("predict", "predict_proba")[: 2 if kind == "Classifier" else 1]:
        assert method in manifest.signature.methods
        assert np.array_equal(getattr(again, method)(given), getattr(own, method)(given))
    assert runtime_name(manifest).lower().startswith(manifest.format)


@pytest.mark.usefixtures("without_trial")
@each_saver
def test_booster_file_is_registered_without_a_sample(tmp_path, save, suffix):
    save(tmp_path, suffix, X, Y, "Classifier")
    signature = examine(tmp_path / f"model.{suffix}").description.signature
    assert len(signature.columns) == 4
    assert signature.classes == (0, 1, 2)


@pytest.mark.usefixtures("without_trial")
@pytest.mark.parametrize(("save", "suffix"), SAVERS[:3], ids=IDS[:3])
def test_labels_given_at_registration_are_answered(tmp_path, save, suffix):
    own = save(tmp_path, suffix, X, Y, "Classifier")
    path, labels = tmp_path / f"model.{suffix}", ("p", "q", "r")
    found = examine(path, sample=pd.DataFrame(X), labels=labels)
    assert found.description.signature.classes == labels
    manifest = Registry(tmp_path).add("m", found.description, found.content)
    again = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    assert again.predict(X).tolist() == [labels[number] for number in own.predict(X)]
    with pytest.raises(ModelUnloadable, match="has 3 classes, and 2 are named"):
        open_artifact(path, trust=False, labels=("p", "q"))


@pytest.mark.usefixtures("without_trial")
@each_saver
def test_labels_of_a_file_without_classes_are_refused(tmp_path, save, suffix):
    save(tmp_path, suffix, X, X[:, 3], "Regressor")
    with pytest.raises(ModelUnloadable, match="has no classes|keeps its own classes"):
        open_artifact(tmp_path / f"model.{suffix}", trust=False, labels=("p", "q"))


@pytest.mark.parametrize(("save", "suffix"), [SAVERS[0], SAVERS[3]], ids=[IDS[0], IDS[3]])
def test_truncated_booster_file_is_refused(tmp_path, save, suffix):
    save(tmp_path, suffix, X, Y, "Classifier")
    path = tmp_path / f"model.{suffix}"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelUnloadable, match="cannot be loaded"):
        open_artifact(path, trust=False)


def test_truncated_catboost_file_is_not_given_to_its_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", None)  # CatBoost would read beyond the content
    with pytest.raises(ModelUnloadable, match=r"truncated: 12 of 1,008 bytes"):
        load_catboost(b"CBM1" + (1000).to_bytes(4, "little") + b"half", LoadOptions())


@pytest.mark.usefixtures("without_trial")
@each_saver
@pytest.mark.parametrize("in_dictionary", [False, True], ids=["bare", "in-a-dictionary"])
def test_booster_in_a_pickle_answers_as_its_estimator(tmp_path, save, suffix, in_dictionary):
    estimator = save(tmp_path, suffix, X, Y, "Classifier")
    own = getattr(estimator, "get_booster", lambda: getattr(estimator, "booster_", estimator))()
    (tmp_path / "model.pkl").write_bytes(pickle.dumps({"model": own} if in_dictionary else own))
    found = examine(tmp_path / "model.pkl", trust=True, sample=pd.DataFrame(X))
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    assert np.array_equal(found.model.predict_proba(X), estimator.predict_proba(X))
    manifest = Registry(tmp_path).add("m", found.description, found.content)
    again = load_artifact(Registry(tmp_path).artifact(manifest), manifest).estimator
    assert np.array_equal(again.predict(X), estimator.predict(X))


@pytest.mark.usefixtures("without_trial")
@pytest.mark.parametrize(("save", "suffix"), SAVERS[1:3], ids=IDS[1:3])
def test_booster_in_a_pickle_gets_labels(tmp_path, save, suffix):
    estimator = save(tmp_path, suffix, X, Y, "Classifier")
    own = getattr(estimator, "get_booster", lambda: getattr(estimator, "booster_", estimator))()
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(own))
    model = open_artifact(tmp_path / "model.pkl", trust=True, labels=("p", "q", "r")).estimator
    assert model.predict(X).tolist() == ["pqr"[number] for number in estimator.predict(X)]


def test_ranker_of_xgboost_answers_by_its_file():
    ranker = xgboost.XGBRanker(n_estimators=TREES).fit(X, Y, qid=np.repeat(np.arange(15), 10))
    ranker_file = bytes(ranker.get_booster().save_raw("ubj"))
    assert np.array_equal(load_xgboost(ranker_file, LoadOptions()).predict(X), ranker.predict(X))


def test_saved_ranker_of_xgboost_is_one_again(tmp_path):
    ranker = xgboost.XGBRanker(n_estimators=TREES).fit(X, Y, qid=np.repeat(np.arange(15), 10))
    ranker.save_model(tmp_path / "model.json")
    model = open_artifact(tmp_path / "model.json", trust=False).estimator
    assert np.array_equal(model.predict(X), ranker.predict(X))


@pytest.mark.parametrize("saved", ["booster", "estimator"])
def test_trees_after_the_best_ones_count_as_in_what_was_saved(saved):
    """Early stopping keeps them: a `Booster` answers with all, an estimator with the best."""
    parts = (X[::2], Y[::2] > 0), (X[1::2], Y[1::2] > 1)
    estimator = xgboost.XGBClassifier(n_estimators=30, early_stopping_rounds=3)
    estimator.fit(*parts[0], eval_set=[parts[1]], verbose=False)
    booster = estimator.get_booster()
    assert booster.best_iteration + 1 < booster.num_boosted_rounds()
    given = xgboost.DMatrix(X)
    if saved == "booster":
        booster.set_attr(scikit_learn=None)
        own = booster.predict(given)
    else:
        booster.set_attr(scikit_learn='{"_estimator_type": "classifier"}')
        own = estimator.predict_proba(X)[:, 1]
    model = load_xgboost(bytes(booster.save_raw("ubj")), LoadOptions())
    assert np.array_equal(model.predict_proba(X)[:, 1], own)
