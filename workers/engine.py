"""Answers rows with a model: check, load, one call of the model's method, one prediction a row."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import sklearn

from registry import validation
from registry.manifest import Manifest
from registry.methods import check_method
from registry.store import Registry
from tasks.prediction import Computed
from telemetry.errors import ModelError
from workers.cache import ModelCache
from workers.loading import load
from workers.tabular import to_input, to_wire

RUNTIME = f"scikit-learn {sklearn.__version__}"


class SklearnEngine:
    """The port `tasks.prediction.Engine`, filled with the registry's models."""

    def __init__(self, registry: Registry, on_load: Callable[[Manifest], None]) -> None:
        def load_and_tell(manifest: Manifest) -> Any:
            estimator = load(registry.artifact(manifest), manifest)
            on_load(manifest)
            return estimator

        self._registry = registry
        self._models = ModelCache(load_and_tell)

    def predict(self, reference: str, features: Any, method: str) -> Computed:
        """Answer each row of ``features``, in order.

        What a stock producer sent was never checked at the door, so all of it is checked here.
        """
        manifest = self._registry.resolve(reference).manifest
        check_method(manifest, method)
        rows = validation.rows(manifest.signature, features)
        estimator = self._models.get(manifest)
        started = time.perf_counter()
        predictions = _call(estimator, method, manifest, rows)
        return Computed(
            predictions=predictions,
            model=manifest.name,
            version=manifest.version,
            sha256=manifest.sha256,
            compute_ms=round((time.perf_counter() - started) * 1000, 3),
            batch_size=len(rows),
            runtime=RUNTIME,
        )


def _call(estimator: Any, method: str, manifest: Manifest, rows: list[list[Any]]) -> list[Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output = getattr(estimator, method)(to_input(manifest.signature, rows))
        predictions = to_wire(output)
    except Exception as error:  # a model may raise anything; its caller is told what it said
        raise ModelError(f"{type(error).__name__}: {error}"[:500]) from error
    if len(predictions) != len(rows):
        raise ModelError(f"the model gave {len(predictions)} predictions for {len(rows)} rows")
    return predictions
