"""Reads artifacts, and takes the model out of what they hold."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from registry.manifest import Manifest
from telemetry.errors import ArtifactMismatch, Invalid, ModelUnloadable
from workers.models.formats.all_formats import format_named, load_model, recognised_format
from workers.models.formats.code.bundle import Imported, bundled, opened_bundle
from workers.models.formats.code.code_files import code_files
from workers.models.formats.libraries.bare_boosters import around_booster, is_bare_booster
from workers.models.formats.model_format import Labels, LoadOptions, ModelFormat
from workers.models.formats.pickled.dictionaries import (
    model_in,
    not_a_model,
    refuse_unapplied,
    stated_names,
)
from workers.models.formats.pickled.fitted_with import fitted_with
from workers.models.formats.pickled.functions import PickledFunction, is_function
from workers.models.formats.pickled.skops_library import skops_library
from workers.models.formats.source import model_source, read_file
from workers.models.formats.trial import check_loadable
from workers.models.signature.methods import method_candidates


class LoadedModel(msgspec.Struct, frozen=True):
    """An artifact, read for registration."""

    estimator: Any
    feature_names: list[str] | None
    """Column names that stand beside the estimator: in its dictionary, or in what MLflow saved."""
    content: bytes
    sha256: str
    format: str
    """Name of its format."""
    imported: Imported
    """Makes the code beside the model importable, while it is called."""
    declared: dict[str, str] = {}
    """Facts in the model's files, such as the version that saved them."""


class LoadedVersion(msgspec.Struct, frozen=True):
    """A registered version, loaded."""

    estimator: Any
    imported: Imported
    """Makes the code beside the model importable, while it is called."""


def open_artifact(
    path: Path,
    trust: bool,
    labels: Labels = None,
    *,
    has_sample: bool = True,
    code: Path | None = None,
) -> LoadedModel:
    """Read a model for registration; the content of a file tells the format, never its name.

    ``path`` may also be a directory of MLflow, or a reference to code: `module:name` or
    `file.py:name`. ``labels`` are the classes of a file that does not keep them. ``code`` is kept
    with the model, see `code_files`.

    Raises `ArtifactMissing` if there is no such file, `ModelUnloadable` if it holds no usable
    model, `Invalid` if its format needs a sample and there is none, and `UntrustedArtifact` if it
    needs ``trust``: loading a joblib or pickle file runs code from it, loading a skops file does
    not.
    """
    what = str(path)
    source = model_source(path)
    artifact = bundled(source.content, {} if code is None else code_files(code))
    bundle = opened_bundle(artifact)
    content = bundle.model
    found = recognised_format(content, what)
    if found.needs_sample and not has_sample:
        raise Invalid(f"{what}: a {found.name} model does not tell its columns; give a --sample")
    if trust or not found.runs_code:
        check_loadable(found, content, what)
    imported = bundle.imported(trust=trust, what=what)
    with imported():
        made = load_model(found, content, LoadOptions(trust, labels), what)
    refuse_unapplied(made, what)
    return LoadedModel(
        _estimator(made, found, labels, what),
        stated_names(made, what) or source.feature_names,
        artifact,
        hashlib.sha256(artifact).hexdigest(),
        found.name,
        imported,
        source.declared | _saved_by(content, found) | _beside(code),
    )


def load_artifact(path: Path, manifest: Manifest) -> LoadedVersion:
    """Load a registered artifact after checking its SHA-256 against the manifest.

    Raises `ArtifactMissing`, `ArtifactMismatch`, `UntrustedArtifact` or `ModelUnloadable`.
    """
    what = manifest.reference
    content = intact_artifact(path, manifest)
    found = format_named(manifest.format, what)
    bundle = opened_bundle(content)
    imported = bundle.imported(trust=manifest.trusted, what=what)
    options = LoadOptions(manifest.trusted, manifest.labels)
    with imported():
        made = load_model(found, bundle.model, options, what)
    return LoadedVersion(_estimator(made, found, manifest.labels, what), imported)


def intact_artifact(path: Path, manifest: Manifest) -> bytes:
    """Read a registered artifact; raises `ArtifactMissing`, or `ArtifactMismatch` by its hash."""
    what = manifest.reference
    content = read_file(path, f"the artifact of {what}")
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ArtifactMismatch(f"the artifact of {what} was changed after its registration")
    return content


def save(made: Any, path: Path) -> None:
    """Write an estimator, or a dictionary with one, as a skops file."""
    skops_library().dump(made, path)


def _saved_by(content: bytes, found: ModelFormat) -> dict[str, str]:
    saved = "" if found.runtime else fitted_with(content)
    return {"scikit-learn": saved} if saved else {}


def _beside(code: Path | None) -> dict[str, str]:
    return {} if code is None else {"code beside the model": str(code)}


def _estimator(made: Any, found: ModelFormat, labels: Labels, what: str) -> Any:
    if isinstance(made, dict):
        made = model_in(made, what)
    if is_bare_booster(made):
        return around_booster(made, labels)
    if labels is not None and not found.is_native:
        raise ModelUnloadable(f"{what} keeps its own classes; leave out --classes")
    if isinstance(made, type):
        raise ModelUnloadable(f"{what} contains a class, not a fitted model: {made.__name__}")
    if is_function(made):
        return PickledFunction(made)
    if not method_candidates(made):
        raise ModelUnloadable(not_a_model(made, what))
    return made
