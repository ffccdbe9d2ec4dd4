"""Reads a directory that MLflow saved, and chooses the file of it that becomes the artifact.

A flavor with a file of its own is served from that file, as if the file had been registered: MLflow
is not needed then. What has only the flavor `python_function`, or code of its own beside the file,
is kept whole, and loaded by MLflow.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from telemetry.errors import ModelUnloadable
from workers.models.formats.archive import ArchiveFiles, files_below, packed
from workers.models.formats.conversions import conversion_of_directory
from workers.models.formats.model_format import import_runtime

MLMODEL = "MLmodel"
"""The file that makes a directory one of MLflow."""
_FLAVORS = {
    "sklearn": "pickled_model",
    "xgboost": "data",
    "lightgbm": "data",
    "catboost": "data",
    "onnx": "data",
}
"""Flavors that are served from their own file, and the key that names it."""
_MOST_SPECIFIED = 2**20
_MOST_TOLD = 2_000
_MOST_SHOWN = 100
"""Characters of a name or version that are shown."""


class MlflowModel(msgspec.Struct, frozen=True):
    """The contents of a directory."""

    content: bytes
    """The flavor's own file, or an archive of the directory."""
    feature_names: list[str] | None
    """Names of the columns, if the signature has them."""
    declared: dict[str, str]
    """Flavor, signature and requirements, as texts."""


def read_mlflow(directory: Path) -> MlflowModel:
    """Read a directory; raises `ModelUnloadable` if it is none of MLflow, or cannot be served."""
    what = str(directory)
    if not (directory / MLMODEL).is_file():
        if advice := conversion_of_directory(directory):
            raise ModelUnloadable(f"{what} cannot be loaded: {advice}")
        raise ModelUnloadable(f"{what} is a directory without {MLMODEL}, the file of MLflow")
    files = files_below(directory, what)
    specified = _specified(files, what)
    flavors = specified.get("flavors")
    if not isinstance(flavors, dict):
        raise ModelUnloadable(f"{what}: its {MLMODEL} names no flavors")
    flavor, content = _artifact(flavors, files, what)
    columns = _columns(specified)
    saved = f"{flavor} of MLflow {_version(specified)}"
    declared = {
        "flavor": saved,
        "inputs": ", ".join(f"{name} {kind}".strip() for name, kind in columns),
        "requirements": _requirements(files),
    }
    names = [name for name, _ in columns]
    told = {key: value[:_MOST_TOLD] for key, value in declared.items() if value}
    return MlflowModel(content, names if all(names) and names else None, told)


def _specified(files: ArchiveFiles, what: str) -> dict[str, Any]:
    yaml = import_runtime("yaml", "mlflow")
    text = files[MLMODEL]
    if len(text) > _MOST_SPECIFIED:
        raise ModelUnloadable(f"{what}: its {MLMODEL} is larger than {_MOST_SPECIFIED:,} bytes")
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise ModelUnloadable(f"{what}: its {MLMODEL} is not YAML: {reason}") from error
    if not isinstance(found, dict):
        raise ModelUnloadable(f"{what}: its {MLMODEL} names no flavors")
    return found


def _artifact(flavors: dict[str, Any], files: ArchiveFiles, what: str) -> tuple[str, bytes]:
    """The name of the flavor that is served, and the bytes of the artifact."""
    for name, key in _FLAVORS.items():
        flavor = flavors.get(name)
        if isinstance(flavor, dict) and not flavor.get("code"):
            return name, _file(files, flavor.get(key), what)
    if "python_function" in flavors:
        return "python_function", packed(files)
    known = ", ".join((*_FLAVORS, "python_function"))
    found = ", ".join(map(str, flavors))[:_MOST_TOLD]
    raise ModelUnloadable(f"{what} has the flavors {found}, none of {known}")


def _file(files: ArchiveFiles, name: Any, what: str) -> bytes:
    if isinstance(name, str) and name in files:
        return files[name]
    shown = repr(name[:_MOST_SHOWN]) if isinstance(name, str) else f"of a {type(name).__name__}"
    raise ModelUnloadable(f"{what}: its {MLMODEL} names the file {shown}, which is not in it")


def _version(specified: dict[str, Any]) -> str:
    # Only a text is shown: aliases of YAML make a list of few bytes endless once it is a text.
    found = specified.get("mlflow_version")
    return found[:_MOST_SHOWN] if isinstance(found, str) else "of an unknown version"


def _columns(specified: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and type of each input of the signature; none if it is of a tensor, or broken."""
    signature = specified.get("signature")
    inputs = signature.get("inputs") if isinstance(signature, dict) else None
    try:
        columns = json.loads(inputs or "[]")
        return [(str(each.get("name", "")), str(each["type"])) for each in columns]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def _requirements(files: ArchiveFiles) -> str:
    lines = files.get("requirements.txt", b"").decode("utf-8", "replace").splitlines()
    return ", ".join(line.strip() for line in lines if line.strip() and line[0] != "#")
