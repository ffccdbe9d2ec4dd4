"""Says how a model is converted whose format is not served."""

import io
import json
import zipfile
from pathlib import Path

_CONVERT = (
    "convert it with python -m tf2onnx.convert --saved-model {path} --output model.onnx and "
    "register the ONNX file"
)
# Keras's own export to ONNX refuses a model that was only loaded.
_KERAS = (
    "it is a Keras model; export it with "
    'keras.models.load_model(path).export("saved_model"), then '
    f"{_CONVERT.format(path='saved_model')}"
)
_SAVED_MODEL = f"it is a SavedModel of TensorFlow; {_CONVERT}"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def conversion_of(content: bytes) -> str | None:
    """How a file is converted; None if nothing is known."""
    return _KERAS if content.startswith(_HDF5) or _is_keras(content) else None


def conversion_of_directory(path: Path) -> str | None:
    """How a directory is converted; None if nothing is known."""
    is_saved_model = (path / "saved_model.pb").is_file()
    return _SAVED_MODEL.format(path=path) if is_saved_model else None


def _is_keras(content: bytes) -> bool:
    """Whether content is an archive with the parts that Keras 3 writes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if not {"config.json", "model.weights.h5"} <= {*archive.namelist()}:
                return False
            return "keras_version" in json.loads(archive.read("metadata.json"))
    except (zipfile.BadZipFile, ValueError, OSError, KeyError, NotImplementedError):
        return False
