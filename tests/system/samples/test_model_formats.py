"""Models of each format are registered, and served with their own answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import pytest
import skl2onnx
import skops.io
import xgboost
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from predictq import Client
from tests.support.stack import LiveStack
from tests.system.samples.conftest import Command

pytestmark = pytest.mark.slow

DATA, TARGET = load_iris(return_X_y=True, as_frame=True)
FLOWERS = DATA.set_axis(["a", "b", "c", "d"], axis=1)


def xgboost_json(path: Path) -> Any:
    model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(FLOWERS, TARGET)
    model.save_model(path.with_suffix(".json"))
    path.with_suffix(".json").rename(path)
    return model


def lightgbm_text(path: Path) -> Any:
    model = lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(FLOWERS, TARGET)
    model.booster_.save_model(path)
    return model


def catboost_cbm(path: Path) -> Any:
    model = catboost.CatBoostClassifier(5, verbose=0, allow_writing_files=False)
    model.fit(FLOWERS, TARGET).save_model(str(path))
    return model


def onnx(path: Path) -> Any:
    model = LogisticRegression(max_iter=1000).fit(FLOWERS.to_numpy(np.float32), TARGET)
    path.write_bytes(skl2onnx.to_onnx(model, FLOWERS.to_numpy(np.float32)[:1]).SerializeToString())
    return model


CODE = """
import numpy as np

class Rules:
    def predict_proba(self, rows):
        share = rows["a"] / 10
        return np.column_stack([1 - share, share])
    def predict(self, rows):
        return self.predict_proba(rows).argmax(axis=1)
"""


def python_code(path: Path) -> Any:
    path.with_name("rules.py").write_text(CODE)
    path.with_name("arguments").write_text(f"{path.with_name('rules.py')}:Rules --trust")
    names: dict[str, Any] = {}
    exec(CODE, names)
    return names["Rules"]()


def mlflow_directory(path: Path) -> Any:
    path.mkdir()
    model = LogisticRegression(max_iter=1000).fit(FLOWERS, TARGET)
    (path / "model.skops").write_bytes(skops.io.dumps(model))
    flavor = "{sklearn: {pickled_model: model.skops, code: null}}"
    (path / "MLmodel").write_text(f"flavors: {flavor}\nmlflow_version: 3.17.2\n")
    return model


PMML = """<?xml version="1.0"?>
<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4">
 <DataDictionary>
  <DataField name="kind" optype="categorical" dataType="string">
   <Value value="long"/><Value value="short"/>
  </DataField>
  <DataField name="a" optype="continuous" dataType="double"/>
  <DataField name="b" optype="continuous" dataType="double"/>
  <DataField name="c" optype="continuous" dataType="double"/>
  <DataField name="d" optype="continuous" dataType="double"/>
 </DataDictionary>
 <TreeModel functionName="classification" splitCharacteristic="binarySplit">
  <MiningSchema><MiningField name="kind" usageType="target"/></MiningSchema>
  <Node score="short" recordCount="8">
   <True/>
   <ScoreDistribution value="long" recordCount="4"/>
   <ScoreDistribution value="short" recordCount="4"/>
   <Node score="short" recordCount="4">
    <SimplePredicate field="c" operator="lessOrEqual" value="3"/>
    <ScoreDistribution value="long" recordCount="0"/>
    <ScoreDistribution value="short" recordCount="4"/>
   </Node>
   <Node score="long" recordCount="4">
    <SimplePredicate field="c" operator="greaterThan" value="3"/>
    <ScoreDistribution value="long" recordCount="3"/>
    <ScoreDistribution value="short" recordCount="1"/>
   </Node>
  </Node>
 </TreeModel>
</PMML>
"""


class LongOrShort:
    """The tree of `PMML`."""

    def predict(self, rows: Any) -> Any:
        return np.where(rows["c"] > 3, "long", "short")


def pmml(path: Path) -> Any:
    path.write_text(PMML)
    answers = LongOrShort().predict(FLOWERS)
    FLOWERS.assign(prediction=answers)[::10].to_csv(path.with_name("answers.csv"), index=False)
    path.with_name("arguments").write_text(f"{path} --sample {path.with_name('answers.csv')}")
    return LongOrShort()


FORMATS = {
    "sklearn-pmml-model": pmml,
    "python": python_code,
    "scikit-learn": mlflow_directory,
    "xgboost": xgboost_json,
    "lightgbm": lightgbm_text,
    "catboost": catboost_cbm,
    "onnxruntime": onnx,
}


@pytest.mark.parametrize("runtime", FORMATS)
def test_model_file_is_served_with_the_answers_of_its_library(
    scoring: LiveStack, models: Command, tmp_path: Path, runtime: str
) -> None:
    save: Callable[[Path], Any] = FORMATS[runtime]
    own = save(tmp_path / "model")
    FLOWERS[::10].to_csv(tmp_path / "sample.csv", index=False)
    arguments = tmp_path / "arguments"
    given = arguments.read_text().split() if arguments.exists() else [tmp_path / "model"]
    added = models("add", runtime, "--sample", tmp_path / "sample.csv", *given)
    assert added.returncode == 0, added.stderr
    assert "proved on 15 rows: the stack answers as the model does" in added.stdout
    fresh: Any = FLOWERS if runtime != "onnxruntime" else FLOWERS.to_numpy()
    # Of a PMML file only `predict` is served.
    method = "predict" if runtime == "sklearn-pmml-model" else "predict_proba"
    with Client(scoring.url) as client:
        served = client.predict(runtime, fresh, method=method)
    answers = getattr(own, method)(pd.DataFrame(fresh, columns=FLOWERS.columns))
    # ONNX Runtime computes linear models in float32.
    tolerance = 1e-5 if runtime == "onnxruntime" else 1e-12
    if method == "predict":
        assert served.predictions == answers.tolist()
    else:
        assert np.allclose(np.array(served.predictions), answers, rtol=tolerance, atol=tolerance)
    assert served.receipt.runtime.replace(" ", "").lower().startswith(runtime)
