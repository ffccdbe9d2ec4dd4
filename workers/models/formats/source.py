"""The argument of `models add`: a file, a reference to code, or a directory of MLflow."""

from pathlib import Path

import msgspec

from telemetry.errors import ArtifactMissing, ModelUnloadable
from workers.models.formats.code.packing import code_reference, packed_code
from workers.models.formats.mlflow.directory import read_mlflow


class ModelSource(msgspec.Struct, frozen=True):
    """The bytes that become an artifact, and what was said beside them."""

    content: bytes
    feature_names: list[str] | None = None
    declared: dict[str, str] = {}
    """Facts in the model's files, such as the version that saved them."""


def model_source(path: Path) -> ModelSource:
    """Read what a path or a reference means. Runs no code of it.

    Raises `ArtifactMissing` if there is nothing of this name, and `ModelUnloadable` if it cannot be
    kept as one artifact.
    """
    if path.is_dir():
        model = read_mlflow(path)
        return ModelSource(model.content, model.feature_names, model.declared)
    reference = None if path.exists() else code_reference(str(path))
    if reference is not None:
        return ModelSource(packed_code(reference), declared={"code": str(path)})
    return ModelSource(read_file(path, str(path)))


def read_file(path: Path, what: str) -> bytes:
    """The bytes of a file, which messages call ``what``; raises as `model_source`."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactMissing(f"{what} cannot be read: {error.strerror}") from error
    except OSError as error:
        raise ModelUnloadable(f"{what} cannot be read: {error.strerror}") from error
