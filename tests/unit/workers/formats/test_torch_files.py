"""Programs of PyTorch answer as PyTorch does; other files of it are refused with the remedy."""

import importlib.util
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from telemetry.errors import Invalid, ModelUnloadable, UntrustedArtifact
from workers.gate.comparing import differences
from workers.models.artifacts import open_artifact
from workers.models.registration import examine

ROWS = np.random.default_rng(0).normal(size=(30, 4))
FRAME = pd.DataFrame(ROWS, columns=list("abcd"))
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="PyTorch is not installed: pip install 'predictq[torch]'",
)


def _network(outputs: int) -> Any:
    import torch

    torch.manual_seed(0)
    layers = torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, outputs)
    return torch.nn.Sequential(*layers).double().eval()


def _script(path: Path, outputs: int) -> Any:
    import torch

    network = _network(outputs)
    torch.jit.script(network).save(str(path))
    return network


def _exported(path: Path, outputs: int) -> Any:
    import torch

    network, rows = _network(outputs), torch.zeros(2, 4, dtype=torch.float64)
    dynamic = ({0: torch.export.Dim("rows")},)
    with path.open("wb") as file:
        torch.export.save(torch.export.export(network, (rows,), dynamic_shapes=dynamic), file)
    return network


def _own(network: Any) -> Any:
    import torch

    with torch.inference_mode():
        return network(torch.as_tensor(ROWS)).numpy()


@needs_torch
@pytest.mark.usefixtures("without_trial")
@pytest.mark.parametrize("save", [_script, _exported], ids=["script", "exported"])
def test_torch_program_gives_a_number_or_several_for_each_row(tmp_path: Path, save: Any) -> None:
    for outputs in (1, 3):
        own = _own(save(tmp_path / "model", outputs))
        found = examine(tmp_path / "model", trust=True, sample=FRAME)
        assert found.description.format == "torch"
        assert np.allclose(found.model.predict(FRAME), own[:, 0] if outputs == 1 else own, 1e-14)
        inspected = found.inspected.own_answers
        assert inspected is not None
        assert differences(found.model, found.description.signature, inspected) == []


@needs_torch
def test_torch_program_with_classes_gives_labels_and_scores(tmp_path: Path) -> None:
    own = _own(_script(tmp_path / "model", 3))
    labels = ("no", "perhaps", "yes")
    found = examine(tmp_path / "model", trust=True, sample=FRAME, labels=labels)
    assert found.model.predict(FRAME).tolist() == [labels[at] for at in own.argmax(axis=1)]
    assert np.allclose(found.model.decision_function(FRAME), own, 1e-14)
    assert found.description.signature.classes == labels
    with pytest.raises(ModelUnloadable, match="3 classes, and 2 are named"):
        examine(tmp_path / "model", trust=True, sample=FRAME, labels=("no", "yes"))


@needs_torch
@pytest.mark.parametrize("save", [_script, _exported], ids=["script", "exported"])
def test_torch_program_that_is_truncated_or_damaged_is_refused(tmp_path: Path, save: Any) -> None:
    path = tmp_path / "model"
    save(path, 3)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:200] + bytes(400) + whole[600:]):
        path.write_bytes(damaged)
        with pytest.raises(ModelUnloadable):
            open_artifact(path, trust=True)


def _archive(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"\x80\x02N.")
    return made.getvalue()


def test_torch_program_needs_trust_and_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(_archive("model/data.pkl", "model/constants.pkl", "model/code/a.py"))
    with pytest.raises(UntrustedArtifact, match="--trust"):
        open_artifact(path, trust=False)
    with pytest.raises(Invalid, match="give a --sample"):
        examine(path, trust=True)


def test_torch_weights_are_refused_with_the_way_to_save_a_program(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(_archive("model/data.pkl", "model/data/0", "model/version"))
    with pytest.raises(ModelUnloadable, match=r"not a program; save it with torch\.jit\.script"):
        open_artifact(path, trust=True)


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
@pytest.mark.usefixtures("without_trial")
def test_torch_that_is_missing_is_told_with_its_command(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(_archive("model/data.pkl", "model/constants.pkl"))
    with pytest.raises(ModelUnloadable, match=r"pip install 'predictq\[torch\]'"):
        open_artifact(path, trust=True)


def test_keras_and_tensorflow_models_are_told_how_they_are_converted(tmp_path: Path) -> None:
    keras, old = tmp_path / "model.keras", tmp_path / "model.h5"
    with zipfile.ZipFile(keras, "w") as archive:
        for name in ("config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
        archive.writestr("metadata.json", '{"keras_version": "3.12.0"}')
    old.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    for path in (keras, old):
        with pytest.raises(ModelUnloadable, match='it is a Keras model; convert it with .*onnx"'):
            open_artifact(path, trust=True)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelUnloadable, match=r"python -m tf2onnx\.convert --saved-model"):
        open_artifact(tmp_path, trust=True)
