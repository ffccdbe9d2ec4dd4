"""A model of Keras, converted by the commands of docs/models.md, answers as before.

TensorFlow takes 1.6 GB, so it is in none of our environments. `KERAS_PYTHON` names a Python that
has it: `uv venv keras && uv pip install --python keras tensorflow-cpu tf2onnx`.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.docs.documents import ROOT, blocks
from workers.gate.comparing import differences
from workers.models.registration import examine

PYTHON = os.environ.get("KERAS_PYTHON", sys.executable)
COMMANDS = {
    block.language: block.text
    for block in blocks(ROOT / "docs" / "models.md")
    if "keras.models.load_model" in block.text or "tf2onnx.convert" in block.text
}
CLASSES = np.array(["cat", "dog", "emu"])
FITTED = """
import keras, numpy as np
rows = np.random.default_rng(0).normal(size=(200, 4)).astype("float32")
layers = [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.BatchNormalization()]
model = keras.Sequential([*layers, keras.layers.Dense(3, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(rows, (rows[:, 0] > 0).astype(int) + (rows[:, 1] > 0), epochs=2, verbose=0)
model.save("model.keras")
np.save("rows.npy", rows)
np.save("answers.npy", model.predict(rows, verbose=0))
"""
TOLERANCE = 1e-6
"""Between the answers of Keras and of ONNX Runtime, both in float32."""


def runs(*command: str, directory: Path) -> None:
    subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a model and its answers."""
    imports = subprocess.run(
        [PYTHON, "-c", "import keras, tf2onnx"], check=False, capture_output=True
    )
    if imports.returncode:
        pytest.skip(f"{PYTHON} has no Keras and tf2onnx: name one that has as KERAS_PYTHON")
    directory = tmp_path_factory.mktemp("keras")
    runs(PYTHON, "-c", FITTED, directory=directory)
    return directory


@pytest.mark.slow
def test_keras_model_converted_as_documented_answers_as_before(fitted: Path) -> None:
    runs(PYTHON, "-c", COMMANDS["python"], directory=fitted)
    convert = COMMANDS["bash"].replace("python ", f"{PYTHON} ")
    runs("bash", "-ec", convert, directory=fitted)
    rows, own = np.load(fitted / "rows.npy"), np.load(fitted / "answers.npy")
    sample = pd.DataFrame(rows, columns=list("abcd"))
    found = examine(fitted / "model.onnx", sample=sample, labels=tuple(CLASSES.tolist()))
    assert differences(found.model, found.description.signature, found.inspected.own_answers) == []
    assert np.allclose(found.model.decision_function(sample), own, rtol=0, atol=TOLERANCE)
    assert found.model.predict(sample).tolist() == CLASSES[own.argmax(axis=1)].tolist()
