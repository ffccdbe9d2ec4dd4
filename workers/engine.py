"""The seam to models: rows in, one prediction a row out."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import joblib
import msgspec
import sklearn

from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import ModelError, OutOfMemory
from workers.cache import ModelCache
from workers.loading import load
from workers.tabular import to_input, to_wire


class Computed(msgspec.Struct, frozen=True):
    """What one model call gave."""

    predictions: list[Any]
    """One per row, in order."""
    milliseconds: float
    """In the model's own method."""


class Engine(Protocol):
    """What computes: loads versions, holds them, and calls them."""

    runtime: str
    """Library and version, for receipts."""

    def predict(self, manifest: Manifest, method: str, rows: list[list[Any]]) -> Computed:
        """Answer validated rows in one call.

        Raises `ModelError` where the model refuses the rows, `OutOfMemory` where they are too many
        for this machine now, `ModelUnloadable` where there is no model.
        """


class SklearnEngine:
    """The engine for scikit-learn's models, and whatever behaves like them."""

    runtime = f"scikit-learn {sklearn.__version__}"

    def __init__(self, registry: Registry) -> None:
        self._models = ModelCache(lambda manifest: load(registry.artifact(manifest), manifest))

    def hold(self, manifest: Manifest) -> None:
        """Load it, unless it is held already; raises `ModelUnloadable`."""
        self._models.get(manifest)

    def held(self) -> list[str]:
        """The versions held, as model:version."""
        return self._models.held()

    def predict(self, manifest: Manifest, method: str, rows: list[list[Any]]) -> Computed:
        """See `Engine`."""
        estimator = self._models.get(manifest)
        with _telling():
            given = to_input(manifest.signature, rows)
            output, milliseconds = _timed(estimator, method, given)
            predictions = to_wire(output)
        if len(predictions) != len(rows):
            raise ModelError(f"the model gave {len(predictions)} predictions for {len(rows)} rows")
        return Computed(predictions, milliseconds)

    def answer(self, manifest: Manifest, method: str, given: Any) -> Any:
        """What the model's method gives for an input of its own kind; raises as `predict`."""
        estimator = self._models.get(manifest)
        with _telling():
            output, _ = _timed(estimator, method, given)
        return output


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory from error
    except Exception as error:  # a model may raise anything; its caller is told what it said
        raise ModelError(f"{type(error).__name__}: {error}"[:500]) from error


def _timed(estimator: Any, method: str, given: Any) -> tuple[Any, float]:
    started = time.perf_counter()
    # One thread a process: the pool is the parallelism, whatever `n_jobs` a model was given.
    with warnings.catch_warnings(), joblib.parallel_config(backend="sequential"):
        warnings.simplefilter("ignore")
        output = getattr(estimator, method)(given)
    return output, round((time.perf_counter() - started) * 1000, 3)
