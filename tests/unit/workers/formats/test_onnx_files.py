"""ONNX files answer as ONNX Runtime does, through every door."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from onnx import external_data_helper, load_model_from_string
from skl2onnx import to_onnx
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from telemetry.errors import ModelUnloadable
from workers.gate.comparing import differences
from workers.models.artifacts import open_artifact
from workers.models.registration import examine

X, Y = load_iris(return_X_y=True)
FLOATS = X.astype(np.float32)
WORDS = np.array(["p", "q", "r"])


def converted(path, model, given, **options):
    content = to_onnx(model, given, options=options or None).SerializeToString()
    path.write_bytes(content)
    return content


def session(content):
    return onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])


@pytest.mark.usefixtures("without_trial")
@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("target", [Y, WORDS[Y]], ids=["numbers", "words"])
def test_onnx_classifier_answers_as_its_session(tmp_path, zipmap, target):
    model = LogisticRegression(max_iter=300).fit(X, target)
    content = converted(tmp_path / "model", model, FLOATS[:1], zipmap=zipmap)
    found = examine(tmp_path / "model", sample=pd.DataFrame(X))
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    labels, scores = session(content).run(None, {"X": FLOATS})
    scores = [[*row.values()] for row in scores] if zipmap else scores
    assert found.model.predict(X).tolist() == labels.tolist()
    assert np.array_equal(found.model.predict_proba(X), scores)
    assert found.description.signature.classes == (tuple(np.unique(target)) if zipmap else None)
    assert examine(tmp_path / "model").description.signature.methods == ("predict", "predict_proba")


def test_onnx_regressor_gives_a_number_for_each_row(tmp_path):
    content = converted(tmp_path / "model", LinearRegression().fit(X, Y), FLOATS[:1])
    found = examine(tmp_path / "model", sample=pd.DataFrame(X))
    (own,) = session(content).run(None, {"X": FLOATS})
    assert np.array_equal(found.model.predict(X), own[:, 0])
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []


@pytest.mark.usefixtures("without_trial")
def test_onnx_inputs_by_name_are_columns(tmp_path):
    frame = pd.DataFrame({"kind": WORDS[Y], "size": FLOATS[:, 0]})
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), ("passthrough", ["size"]))
    model = make_pipeline(columns, LogisticRegression()).fit(frame, Y)
    converted(tmp_path / "model", model, frame[:1])
    found = examine(tmp_path / "model", sample=frame)
    assert [column.name for column in found.description.signature.columns] == ["kind", "size"]
    assert found.model.predict(frame).tolist() == model.predict(frame).tolist()
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []


def test_onnx_weights_in_another_file_are_refused(tmp_path):
    content = converted(tmp_path / "model", LinearRegression().fit(X, Y), FLOATS[:1])
    model = load_model_from_string(content)
    tensor = model.graph.initializer.add(name="away", data_type=1, dims=[1], raw_data=bytes(4))
    external_data_helper.set_external_data(tensor, "../away")
    tensor.ClearField("raw_data")
    (tmp_path / "model").write_bytes(model.SerializeToString())
    with pytest.raises(ModelUnloadable, match="weights are in another file"):
        open_artifact(tmp_path / "model", trust=False)


def test_truncated_onnx_file_is_refused(tmp_path):
    content = converted(tmp_path / "model", LinearRegression().fit(X, Y), FLOATS[:1])
    (tmp_path / "model").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelUnloadable, match="cannot be loaded"):
        open_artifact(tmp_path / "model", trust=False)
