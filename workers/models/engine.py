"""The seam to models: rows in, outputs out."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol

import joblib
import msgspec

from registry.manifest import Manifest
from registry.methods import input_of
from registry.store import Registry
from telemetry.errors import ModelError, OutOfMemory
from telemetry.tracebacks import said
from workers.models.artifacts import load
from workers.models.cache import ModelCache
from workers.models.current import is_current
from workers.models.tabular.outputs import Output, in_order, shaped, to_wire
from workers.models.tabular.table import Input, Table


class Answer(msgspec.Struct, frozen=True):
    """What one call of a model's method gave."""

    output: Output
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
        """Call a method once, for a part of a `Table`; loads what is not held.

        Raises `ModelError` where the model refuses the rows, `OutOfMemory` where they are too many
        for this machine now, `ModelUnloadable` where there is no model.
        """


def predict(engine: Engine, manifest: Manifest, method: str, rows: list[list[Any]]) -> Computed:
    """Answer validated rows, a prediction a row; raises as `Engine.answer`."""
    with telling():
        table = Table.of(input_of(manifest.signature, method), rows)
    answer = ask(table, lambda given: engine.answer(manifest, method, given))
    with telling():
        return Computed(to_wire(answer.output), answer.milliseconds)


def ask(table: Table, call: Callable[[Input], Answer]) -> Answer:
    """Answer a table, an entry a row in its order: in one call, unless rows need one of their own.

    Raises what the call raises, and `ModelError` where the rows are none for the model.
    """
    with telling():
        parts = [*table.parts()]
    answers = [_checked(call(given), len(given)) for _, given in parts]
    if len(parts) == 1:
        return answers[0]
    with telling():
        output = in_order([answer.output for answer in answers], [places for places, _ in parts])
    return Answer(output, round(sum(answer.milliseconds for answer in answers), 3))


def _checked(answer: Answer, rows: int) -> Answer:
    """The answer, if it has an entry a row: else rows would get the answers of others."""
    output = answer.output
    for each in output if isinstance(output, list) else [output]:
        if len(each) != rows:
            raise ModelError(f"the model gave {len(each)} predictions for {rows} rows")
    return answer


def call(model: Any, method: str, given: Input) -> Answer:
    """Call a model's method; raises `ModelError` where it raises, or gives no entry a row."""
    started = time.perf_counter()
    # One thread a process: the pool is the parallelism, whatever `n_jobs` a model was given.
    with telling(), warnings.catch_warnings(), joblib.parallel_config(backend="sequential"):
        warnings.simplefilter("ignore")
        output = getattr(model, method)(given)
    taken = time.perf_counter() - started
    with telling():
        return Answer(shaped(output, len(given)), round(taken * 1000, 3))


class SklearnEngine:
    """The engine for scikit-learn's models, and whatever behaves like them."""

    runtime = f"scikit-learn {version('scikit-learn')}"

    def __init__(self, registry: Registry) -> None:
        self._models = ModelCache(
            lambda manifest: load(registry.artifact(manifest), manifest),
            partial(is_current, registry),
        )

    def hold(self, manifest: Manifest) -> None:
        """See `Engine`."""
        self._models.get(manifest)

    def held(self) -> list[str]:
        """See `Engine`; the least recently used first."""
        return self._models.held()

    def answer(self, manifest: Manifest, method: str, given: Input) -> Answer:
        """See `Engine`."""
        estimator = self._models.get(manifest)
        return call(estimator, method, given)


@contextmanager
def telling() -> Iterator[None]:
    """Raise as `ModelError` what a model, or rows on their way to it, raise."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory from error
    except ModelError:
        raise
    except Exception as error:  # a model may raise anything; its caller is told what it said
        raise ModelError(said(error)) from error
