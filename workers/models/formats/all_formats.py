"""All formats of model files, in the order in which they are tried."""

import platform
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from registry.manifest import Description
from telemetry.errors import ModelUnloadable, UntrustedArtifact
from workers.models.formats.code.loading import load_code
from workers.models.formats.code.packing import is_code
from workers.models.formats.conversions import conversion_of
from workers.models.formats.installed import installed_formats
from workers.models.formats.libraries.catboost_file import is_catboost, load_catboost
from workers.models.formats.libraries.lightgbm_file import is_lightgbm, load_lightgbm
from workers.models.formats.libraries.onnx_file import is_onnx, load_onnx
from workers.models.formats.libraries.pmml_file import is_pmml, load_pmml
from workers.models.formats.libraries.torch_file import is_torch, load_torch
from workers.models.formats.libraries.xgboost_file import is_xgboost, load_xgboost
from workers.models.formats.mlflow.pyfunc import is_pyfunc, load_pyfunc
from workers.models.formats.model_format import LoadOptions, ModelFormat, installed_version
from workers.models.formats.pickled import pickles
from workers.models.formats.pickled.remedies import remedy

MODEL_FORMATS = (
    ModelFormat(
        name="python",
        recognises=is_code,
        load=load_code,
        runs_code=True,
        needs_sample=True,
        runtime=f"Python {platform.python_version()}",
    ),
    ModelFormat(
        name="mlflow",
        recognises=is_pyfunc,
        load=load_pyfunc,
        runs_code=True,
        needs_sample=True,
        runtime="MLflow",
        distributions=("mlflow-skinny", "mlflow"),
    ),
    ModelFormat(
        name="skops",
        recognises=pickles.is_skops,
        load=pickles.load_skops,
    ),
    ModelFormat(
        name="xgboost",
        recognises=is_xgboost,
        load=load_xgboost,
        runtime="XGBoost",
        distributions=("xgboost-cpu", "xgboost"),
        is_native=True,
    ),
    ModelFormat(
        name="lightgbm",
        recognises=is_lightgbm,
        load=load_lightgbm,
        runtime="LightGBM",
        distributions=("lightgbm",),
        is_native=True,
    ),
    ModelFormat(
        name="catboost",
        recognises=is_catboost,
        load=load_catboost,
        runtime="CatBoost",
        distributions=("catboost",),
        is_native=True,
    ),
    ModelFormat(
        name="onnx",
        recognises=is_onnx,
        load=load_onnx,
        runtime="ONNX Runtime",
        distributions=("onnxruntime", "onnxruntime-gpu"),
        is_native=True,
    ),
    ModelFormat(
        name="pmml",
        recognises=is_pmml,
        load=load_pmml,
        needs_sample=True,
        needs_answers=True,
        runtime="sklearn-pmml-model",
        distributions=("sklearn-pmml-model",),
    ),
    ModelFormat(
        name="torch",
        recognises=is_torch,
        load=load_torch,
        runs_code=True,
        needs_sample=True,
        runtime="PyTorch",
        distributions=("torch",),
        is_native=True,
    ),
)
"""In the order in which they are tried, before those of installed packages.

Archives are told apart by what they contain, so those of PyTorch may come after those of skops."""
PICKLED_FORMATS = (
    ModelFormat(
        name="joblib", recognises=pickles.is_joblib, load=pickles.load_pickle, runs_code=True
    ),
    ModelFormat(
        name="pickle", recognises=pickles.is_pickle, load=pickles.load_pickle, runs_code=True
    ),
)
"""They come last, as files of other formats may parse as a pickle."""


def recognised_format(content: bytes, what: str) -> ModelFormat:
    """The format of a file's content; raises `ModelUnloadable` if it has none of these."""
    found = next((each for each in _formats() if each.recognises(content)), None)
    if found is None:
        if advice := conversion_of(content):
            raise ModelUnloadable(f"{what} cannot be loaded: {advice}")
        known = ", ".join(each.name for each in _formats())
        raise ModelUnloadable(f"{what} cannot be loaded: its content is none of {known}")
    return found


def format_named(name: str, what: str) -> ModelFormat:
    """The format that a manifest names; raises `ModelUnloadable` if there is none."""
    found = next((each for each in _formats() if each.name == name), None)
    if found is None:
        raise ModelUnloadable(
            f"{what} cannot be loaded: this release has no format {name!r}, "
            "and no installed package adds it"
        )
    return found


def _formats() -> Iterator[ModelFormat]:
    """All formats in their order; packages are asked only if none before them was meant."""
    yield from MODEL_FORMATS
    yield from installed_formats()
    yield from PICKLED_FORMATS


def load_model(model_format: ModelFormat, content: bytes, options: LoadOptions, what: str) -> Any:
    """Make what a file holds.

    Raises `UntrustedArtifact` if that runs code without trust, and `ModelUnloadable` if the
    file is broken or its runtime is not installed.
    """
    if model_format.runs_code and not options.trust:
        raise UntrustedArtifact(
            f"{what}: loading a {model_format.name} file runs the code in it; "
            "register it with --trust if you trust its origin"
        )
    # Code in the artifact may raise anything while it is unpacked, even `SystemExit`.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn warns for each part of an old pipeline
            return model_format.load(content, options)
    except UntrustedArtifact as error:
        raise UntrustedArtifact(f"{what}: {error.message}") from error
    except ModelUnloadable as error:
        raise ModelUnloadable(f"{what} cannot be loaded: {error.message}") from error
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"[:1000]
        told = remedy(error, content, model_format) or reason
        raise ModelUnloadable(f"{what} cannot be loaded: {told}") from error


def runtime_name(described: Description) -> str | None:
    """Library and version that compute a version; None for scikit-learn, which the engine names."""
    return _runtime_of(described.format)


@cache
def _runtime_of(name: str) -> str | None:
    # Cached because each receipt asks, and a library's version is read from disk.
    found = next((each for each in _formats() if each.name == name), None)
    if found is None or not found.runtime:
        return None
    return f"{found.runtime} {installed_version(found.distributions)}".strip()
