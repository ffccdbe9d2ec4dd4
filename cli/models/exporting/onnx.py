"""The ONNX file of an exported folder, if its answers are those of the model."""

from itertools import compress
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from cli.models.exporting.loader import ESTIMATORS
from registry.manifest import Manifest
from registry.readiness import GoldenRows
from registry.store import Registry
from telemetry.errors import PredictqError
from workers.models.artifacts import load_artifact
from workers.models.golden import golden_frame
from workers.models.signature.inspection import quietly

_LOADER = '''\
"""Answers as {reference} with ONNX Runtime and NumPy; run this file to try it on the sample."""

import json
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).parent
COLUMNS = {columns}
METHODS = {methods}
SESSION = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])


def answer(rows):
    """Method to answers; rows: finite numbers, one for each of COLUMNS."""
    rows = np.asarray(rows, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise ValueError("missing values and infinities were not compared with the model's answers")
    first, *others = SESSION.run(None, {{SESSION.get_inputs()[0].name: rows}})
    first = first[:, 0] if first.shape[1:] == (1,) else first
    return dict(zip(METHODS, [first, *others]))


if __name__ == "__main__":
    known = json.loads((HERE / "answers.json").read_text())
    found = answer(np.load(HERE / "rows.npy"))
    for method, answers in known.items():
        is_float = found[method].dtype.kind == "f"
        same = np.allclose if is_float else np.array_equal
        print(method, "same answers" if same(found[method], answers) else "OTHER ANSWERS")
'''


def write_onnx(
    registry: Registry, manifest: Manifest, golden: GoldenRows | None, directory: Path
) -> str:
    """Write the new folder ``directory``: ONNX file, rows with answers, and loader.

    Returns why it is not written, if it is not.
    """
    if manifest.format not in ESTIMATORS:
        return f"a model in the format {manifest.format} is not converted"
    if manifest.environment is not None:
        return "the version has an environment of its own"
    if golden is None:
        return "without a sample, its answers cannot be compared with those of the model"
    try:
        return _convert(registry, manifest, golden, directory)
    except PredictqError as error:
        return error.message


def _convert(registry: Registry, manifest: Manifest, golden: GoldenRows, directory: Path) -> str:
    from workers.models.optimizing import comparing  # noqa: PLC0415 - it imports much

    registry.check_signature(manifest)
    loaded = load_artifact(registry.artifact(manifest), manifest)
    frame = golden_frame(manifest, golden)
    with loaded.imported(), quietly():
        model = loaded.estimator
        found = comparing.sound_conversion(model, manifest.signature, frame)
    if not found.reason:
        methods = comparing.compared_methods(model, found.model)
        _write(manifest, found.content, methods, directory)
        _write_rows(golden, frame, methods, directory)
    return found.reason


def _write(manifest: Manifest, content: bytes, methods: list[str], directory: Path) -> None:
    directory.mkdir()
    (directory / "model.onnx").write_bytes(content)
    columns = [column.name for column in manifest.signature.columns]
    text = _LOADER.format(reference=manifest.reference, columns=columns, methods=methods)
    (directory / "load.py").write_text(text)


def _write_rows(
    golden: GoldenRows, frame: pd.DataFrame, methods: list[str], directory: Path
) -> None:
    rows = frame.to_numpy(dtype=np.float64)
    finite = np.isfinite(rows).all(axis=1)
    np.save(directory / "rows.npy", rows[finite])
    answers = {
        name: [*compress(golden.answers[name], finite)]
        for name in methods
        if name in golden.answers
    }
    (directory / "answers.json").write_bytes(msgspec.json.encode(answers))
