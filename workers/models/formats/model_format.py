"""One format of model files, and what its loaders share."""

import importlib
import importlib.metadata
from collections.abc import Callable
from typing import Any

import msgspec

from telemetry.errors import ModelUnloadable

Labels = tuple[Any, ...] | None
"""Class labels given at registration, for files that do not keep them."""


class LoadOptions(msgspec.Struct, frozen=True):
    """The options of a version's registration that its loader needs."""

    trust: bool = False
    """Whether code in the file may run."""
    labels: Labels = None


class ModelFormat(msgspec.Struct, frozen=True, kw_only=True):
    """A format of model files."""

    name: str
    """The name in manifests."""
    recognises: Callable[[bytes], bool]
    """Whether a file's content has this format; must not run code from it."""
    load: Callable[[bytes, LoadOptions], Any]
    """Make the model; raises what its library raises, `ModelUnloadable`, or `UntrustedArtifact` if
    this file needs trust and has none."""
    runs_code: bool = False
    """Whether loading always runs code from the file, so that each file needs trust."""
    needs_sample: bool = False
    """Whether models of this format do not tell their columns."""
    needs_answers: bool = False
    """Whether the sample must have the answers of the model that was saved, because the library may
    compute others."""
    runtime: str = ""
    """Name of the library that computes, for receipts; empty for scikit-learn."""
    distributions: tuple[str, ...] = ()
    """Distributions that may provide ``runtime``; the first that is installed gives its version."""
    is_native: bool = False
    """Whether broken files may abort the library, so that registration loads each file in a process
    of its own first. Such files may get class labels."""


def import_runtime(module: str, extra: str) -> Any:
    """Import the library of a format; raises `ModelUnloadable` with the command to install it."""
    return runtime_module(module, installation(extra))


def runtime_module(module: str, command: str) -> Any:
    """As `import_runtime`, for a library that ``command`` installs."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        top = module.partition(".")[0]
        raise ModelUnloadable(f"{top} is not installed: {command}") from error


def installation(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'predictq[{extra}]'"


def installed_version(distributions: tuple[str, ...]) -> str:
    """The version of the first distribution that is installed; empty if none is."""
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""
