"""Turns a model file into what the registry adds: its description and its bytes."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from registry.manifest import Description
from workers.inspection import inspect
from workers.loading import Loaded, open_artifact

_LIBRARIES = ("scikit-learn", "numpy", "scipy", "pandas", "joblib", "skops", "xgboost", "lightgbm")
_MAX_VALUE = 2_000


def describe(
    path: Path, *, trust: bool = False, examples: Any = None, metadata: dict[str, str] | None = None
) -> tuple[Description, bytes]:
    """Open, inspect and describe a model file; ``examples`` are rows in any shape of a request.

    Raises what `open_artifact` and `inspect` raise.
    """
    loaded = open_artifact(path, trust)
    inspected = inspect(loaded.estimator, loaded.feature_names, examples)
    description = Description(
        sha256=loaded.sha256,
        format=loaded.format,
        trusted=trust,
        size=len(loaded.content),
        estimator=f"{type(loaded.estimator).__module__}.{type(loaded.estimator).__qualname__}",
        parameters=_parameters(loaded),
        libraries=_libraries(),
        signature=inspected.signature,
        example=inspected.example,
        metadata=metadata or {},
    )
    return description, loaded.content


def _parameters(loaded: Loaded) -> dict[str, str]:
    try:
        parameters = loaded.estimator.get_params()
    except Exception:  # noqa: BLE001 - a model need not be scikit-learn's, nor its repr work
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
