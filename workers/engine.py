"""The seam to models: rows in, outputs out."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import joblib
import msgspec
import numpy as np
import sklearn

from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import ModelError, OutOfMemory
from telemetry.tracebacks import said
from workers.cache import ModelCache
from workers.loading import load
from workers.tabular import Input, to_input, to_wire


class Answer(msgspec.Struct, frozen=True):
    """What one call of a model's method gave."""

    output: Any
    """As the model gave it: an entry a row, or a list of arrays of such, one an output."""
    milliseconds: float
    """In the method itself."""


class Computed(msgspec.Struct, frozen=True):
    """The same, as it goes to callers."""

    predictions: list[Any]
    """One per row, in order."""
    milliseconds: float


class Engine(Protocol):
    """Whatever runs models. It computes by `answer`; the rest is about what lies in memory."""

    runtime: str
    """Library and version, for receipts."""

    def hold(self, manifest: Manifest) -> None:
        """Load a version, unless it is held already, to be shared by what is forked from now on.

        Raises `ModelUnloadable`.
        """

    def held(self) -> list[str]:
        """The versions held, as model:version."""

    def answer(self, manifest: Manifest, method: str, given: Input) -> Answer:
        """Call a method once, for rows in the form of `to_input`; loads what is not held.

        Raises `ModelError` where the model refuses the rows, `OutOfMemory` where they are too many
        for this machine now, `ModelUnloadable` where there is no model.
        """


def predict(engine: Engine, manifest: Manifest, method: str, rows: list[list[Any]]) -> Computed:
    """Answer validated rows in one call, a prediction a row; raises as `Engine.answer`."""
    with _telling():
        given = to_input(manifest.signature, rows)
    answer = engine.answer(manifest, method, given)
    check_output(answer.output, len(rows))
    with _telling():
        predictions = to_wire(answer.output)
    return Computed(predictions, answer.milliseconds)


def check_output(output: Any, rows: int) -> None:
    """Raise `ModelError` unless an output has an entry a row, or is a list of such arrays."""
    several = isinstance(output, list) and bool(output) and isinstance(output[0], np.ndarray)
    for each in output if several else [output]:
        with _telling():
            found = _entries(each)
        if found is None:
            given = "None" if each is None else f"a value of type {type(each).__name__}"
            raise ModelError(f"the model gave {given}, expected one prediction a row")
        if found != rows:
            raise ModelError(f"the model gave {found} predictions for {rows} rows")


class SklearnEngine:
    """The engine for scikit-learn's models, and whatever behaves like them."""

    runtime = f"scikit-learn {sklearn.__version__}"

    def __init__(self, registry: Registry) -> None:
        self._models = ModelCache(lambda manifest: load(registry.artifact(manifest), manifest))

    def hold(self, manifest: Manifest) -> None:
        """See `Engine`."""
        self._models.get(manifest)

    def held(self) -> list[str]:
        """See `Engine`; the least recently used first."""
        return self._models.held()

    def answer(self, manifest: Manifest, method: str, given: Input) -> Answer:
        """See `Engine`."""
        estimator = self._models.get(manifest)
        with _telling():
            return _timed(estimator, method, given)


def _entries(output: Any) -> int | None:
    """How many entries an output has; None where it is no sequence of such."""
    if isinstance(output, list | tuple):
        return len(output)
    shape = getattr(output, "shape", None)
    if not isinstance(shape, tuple):
        shape = np.shape(output)  # of a text, a mapping or a generator, that is ()
    return shape[0] if shape else None


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory from error
    except Exception as error:  # a model may raise anything; its caller is told what it said
        raise ModelError(said(error)) from error


def _timed(estimator: Any, method: str, given: Input) -> Answer:
    started = time.perf_counter()
    # One thread a process: the pool is the parallelism, whatever `n_jobs` a model was given.
    with warnings.catch_warnings(), joblib.parallel_config(backend="sequential"):
        warnings.simplefilter("ignore")
        output = getattr(estimator, method)(given)
    return Answer(output, round((time.perf_counter() - started) * 1000, 3))
