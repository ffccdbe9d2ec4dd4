"""Reads artifacts. The only module that unpickles, and only files that are trusted."""

import hashlib
import importlib
import io
from pathlib import Path
from typing import Any, Literal

import joblib
import msgspec

from registry.manifest import Manifest
from telemetry.errors import (
    ArtifactMismatch,
    ArtifactMissing,
    ModelUnloadable,
    UntrustedArtifact,
)
from workers.models.signature.methods import method_candidates

Format = Literal["skops", "joblib", "pickle"]

_FORMATS: dict[str, Format] = {
    ".skops": "skops",
    ".joblib": "joblib",
    ".pkl": "pickle",
    ".pickle": "pickle",
}
_ESTIMATOR_KEYS = ("model", "estimator", "pipeline")
_NAMES_KEYS = ("feature_names", "features", "columns")

# Parts of fitted estimators that skops does not list as safe. They hold numbers, and building them
# runs no code from the file.
_HARMLESS = frozenset(
    {
        "numpy.dtype",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.feature_selection._univariate_selection.chi2",
        "sklearn.feature_selection._univariate_selection.f_classif",
        "sklearn.feature_selection._univariate_selection.f_regression",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
        "sklearn.gaussian_process.kernels.ConstantKernel",
        "sklearn.gaussian_process.kernels.Matern",
        "sklearn.gaussian_process.kernels.Product",
        "sklearn.gaussian_process.kernels.RBF",
        "sklearn.gaussian_process.kernels.Sum",
        "sklearn.gaussian_process.kernels.WhiteKernel",
        "sklearn.impute._iterative._ImputerTriplet",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.metrics._dist_metrics.MinkowskiDistance64",
        "sklearn.metrics._scorer._PassthroughScorer",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
        "sklearn.tree._tree.Tree",
        "sklearn.utils._bunch.Bunch",
    }
)


class LoadedModel(msgspec.Struct, frozen=True):
    """An artifact, read for registration."""

    estimator: Any
    feature_names: list[str] | None
    """Column names, if the artifact is a dictionary that has them beside the estimator."""
    content: bytes
    sha256: str
    format: Format


def open_artifact(path: Path, trust: bool) -> LoadedModel:
    """Read a model file for registration.

    Raises `ArtifactMissing` if there is no such file, `ModelUnloadable` if it holds no usable
    model, and `UntrustedArtifact` if it needs ``trust``: loading a joblib or pickle file runs code
    from it, loading a skops file does not.
    """
    file_format = _format(path)
    what = str(path)
    content = _read(path, what)
    made = _unpack(content, file_format, trust, what)
    sha256 = hashlib.sha256(content).hexdigest()
    return LoadedModel(_estimator(made, what), _names(made, what), content, sha256, file_format)


def load_artifact(path: Path, manifest: Manifest) -> Any:
    """Load a registered artifact after checking its SHA-256 against the manifest.

    Raises `ArtifactMissing`, `ArtifactMismatch`, `UntrustedArtifact` or `ModelUnloadable`.
    """
    what = manifest.reference
    content = _read(path, f"the artifact of {what}")
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ArtifactMismatch(f"the artifact of {what} was changed after its registration")
    return _estimator(_unpack(content, manifest.format, manifest.trusted, what), what)


def save(made: Any, path: Path) -> None:
    """Write an estimator, or a dictionary with one, as a skops file."""
    _skops().dump(made, path)


def _format(path: Path) -> Format:
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(_FORMATS)
        raise ModelUnloadable(f"{path}: the file's name must end in one of {known}") from None


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ArtifactMissing(f"{what} cannot be read: {error.strerror}") from error
    except OSError as error:
        raise ModelUnloadable(f"{what} cannot be read: {error.strerror}") from error


def _unpack(content: bytes, file_format: Format, trust: bool, what: str) -> Any:
    if file_format != "skops" and not trust:
        raise UntrustedArtifact(
            f"{what}: loading a {file_format} file runs the code in it; "
            "register it with --trust if you trust its origin, or save it with skops"
        )
    # Code in the artifact may raise anything while it is unpacked, even `SystemExit`.
    try:
        if file_format == "skops":
            return _unpack_skops(content, trust, what)
        return joblib.load(io.BytesIO(content))  # reads plain pickle files as well
    except UntrustedArtifact:
        raise
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ModelUnloadable(f"{what} cannot be loaded: {reason}") from error


def _unpack_skops(content: bytes, trust: bool, what: str) -> Any:
    skops = _skops()
    types = skops.get_untrusted_types(data=content)
    unknown = sorted(set(types) - _HARMLESS)
    if unknown and not trust:
        raise UntrustedArtifact(
            f"{what} holds types that are not known to be harmless: {', '.join(unknown)}; "
            "register it with --trust if you trust its origin"
        )
    return skops.loads(content, trusted=types)


def _skops() -> Any:
    """Import skops only when needed: it imports all of scikit-learn, which takes seconds."""
    return importlib.import_module("skops.io")


def _estimator(made: Any, what: str) -> Any:
    if isinstance(made, dict):
        made = _from_dictionary(made, what)
    if isinstance(made, type):
        raise ModelUnloadable(f"{what} holds a class, not a fitted model: {made.__name__}")
    if not method_candidates(made):
        raise ModelUnloadable(f"{what} holds a {type(made).__name__}, which cannot predict")
    return made


def _from_dictionary(made: dict[Any, Any], what: str) -> Any:
    key = next((key for key in _ESTIMATOR_KEYS if key in made), None)
    if key is None:
        keys = ", ".join(_ESTIMATOR_KEYS)
        raise ModelUnloadable(f"{what} holds a dictionary without any of the keys {keys}")
    return made[key]


def _names(made: Any, what: str) -> list[str] | None:
    if not isinstance(made, dict):
        return None
    key = next((key for key in _NAMES_KEYS if made.get(key) is not None), None)
    return None if key is None else _checked_names(made[key], f"{what}: {key!r}")


def _checked_names(given: Any, what: str) -> list[str]:
    names = given.tolist() if hasattr(given, "tolist") else given  # an array or an index
    if not isinstance(names, list | tuple) or not all(isinstance(n, str | int) for n in names):
        raise ModelUnloadable(f"{what} must be a list of names")
    names = [str(name) for name in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ModelUnloadable(f"{what} names {', '.join(twice)} more than once")
    return names
