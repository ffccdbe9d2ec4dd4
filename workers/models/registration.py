"""Turns a model file into what `Registry.add` takes: a description and the artifact's bytes."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from registry.manifest import Description
from telemetry.errors import Invalid, InvalidFeatures, ModelUnloadable
from workers.models.artifacts import LoadedModel, open_artifact
from workers.models.expected import check_expected, split_expected
from workers.models.formats.all_formats import format_named
from workers.models.formats.code.bundle import Imported
from workers.models.formats.pickled.remedies import anew, other_version
from workers.models.process_state.containing import contained
from workers.models.process_state.guarding import guarded, refusing_exit
from workers.models.signature.inspection import Inspected, inspect
from workers.models.signature.sample import of_rows

_LIBRARIES = (
    *("scikit-learn", "numpy", "scipy", "pandas", "joblib", "skops"),
    *("xgboost", "xgboost-cpu", "lightgbm", "catboost", "onnxruntime", "torch"),
)
_MAX_VALUE = 2_000
"""Characters of a parameter's repr that are kept."""


class Examined(msgspec.Struct, frozen=True):
    """A model file with the findings of its inspection."""

    description: Description
    content: bytes
    model: Any
    inspected: Inspected
    imported: Imported
    """Makes the code beside the model importable, while it is called."""


def describe_model(
    path: Path, *, trust: bool = False, examples: Any = None, metadata: dict[str, str] | None = None
) -> tuple[Description, bytes]:
    """Describe a model file; returns the arguments of `Registry.add`.

    ``examples`` are rows in any shape that a request may have. Raises as `examine`, and
    `InvalidFeatures` if the examples are not rows.
    """
    sample = None if examples is None else _frame(examples)
    found = examine(path, trust=trust, sample=sample, metadata=metadata, typed=False)
    return found.description, found.content


def examine(
    path: Path,
    *,
    trust: bool = False,
    sample: pd.DataFrame | None = None,
    metadata: dict[str, str] | None = None,
    typed: bool = True,
    labels: tuple[Any, ...] | None = None,
    code: Path | None = None,
) -> Examined:
    """Open, inspect and describe a model file.

    ``typed``: whether the sample's dtypes are those of the training data. ``labels``: the classes,
    if the file does not keep them. ``code``: what is kept with the model, see `code_files`. Raises
    what `open_artifact` and `inspect` raise.
    """
    with contained(), refusing_exit():
        loaded = open_artifact(path, trust, labels, has_sample=sample is not None, code=code)
    with loaded.imported(), guarded():
        inspected = _examined(loaded, sample, str(path), typed=typed)
        parameters = _parameters(loaded)
    description = Description(
        sha256=loaded.sha256,
        format=loaded.format,
        trusted=trust,
        size=len(loaded.content),
        estimator=f"{type(loaded.estimator).__module__}.{type(loaded.estimator).__qualname__}",
        parameters=parameters,
        libraries=_libraries(),
        signature=inspected.signature,
        example=inspected.example,
        metadata=metadata or {},
        labels=labels,
        declared=loaded.declared,
    )
    return Examined(description, loaded.content, loaded.estimator, inspected, loaded.imported)


def _examined(
    loaded: LoadedModel, sample: pd.DataFrame | None, what: str, *, typed: bool
) -> Inspected:
    """Inspect a model; if its format needs them, compare the answers in the sample."""
    expected = None
    if sample is not None and format_named(loaded.format, what).needs_answers:
        sample, expected = split_expected(sample, what)
    inspected = _inspected(loaded, sample, typed=typed)
    if expected is not None and inspected.own_answers is not None:
        check_expected(inspected.own_answers, expected, what)
    return inspected


def _inspected(loaded: LoadedModel, sample: pd.DataFrame | None, *, typed: bool) -> Inspected:
    try:
        return inspect(loaded.estimator, loaded.feature_names, sample, typed=typed)
    except ModelUnloadable as error:
        if saved := other_version(loaded.declared.get("scikit-learn", "")):
            raise ModelUnloadable(f"{error.message}; {anew(saved)}") from error
        raise


def _frame(examples: Any) -> pd.DataFrame:
    try:
        return of_rows(examples)
    except Invalid as error:
        raise InvalidFeatures(error.message) from error


def _parameters(loaded: LoadedModel) -> dict[str, str]:
    try:
        parameters = loaded.estimator.get_params()
    except Exception:  # noqa: BLE001 - a foreign class may lack `get_params`, or fail in it
        return {}
    return {name: repr(value)[:_MAX_VALUE] for name, value in sorted(parameters.items())}


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
