"""The engine that runs models: rows in, predictions out."""

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
from telemetry.tracebacks import error_text
from workers.environments.environment import check_environment
from workers.environments.receipts import packages_named
from workers.models.artifacts import load_artifact
from workers.models.cache import ModelCache, models_budget
from workers.models.current import is_current
from workers.models.formats.all_formats import runtime_name
from workers.models.formats.code.bundle import Imported
from workers.models.kernels.accelerating import accelerated
from workers.models.optimizing.optimized import optimized
from workers.models.process_state.process_state import ProcessState, ResultType
from workers.models.tabular.outputs import Output, merge_outputs, to_output, to_wire
from workers.models.tabular.table import Input, Table
from workers.protocol import LoadCost


class Answer(msgspec.Struct, frozen=True):
    """The result of calling a model's method."""

    output: Output
    milliseconds: float
    """Run time of the method itself, without conversions."""


class Computed(msgspec.Struct, frozen=True):
    """An `Answer` converted for JSON."""

    predictions: list[Any]
    """One per row, in order."""
    milliseconds: float
    """Run time of the method itself, without conversions."""
    given: Table
    output: Output


class Engine(Protocol):
    """Interface of engines. `answer` computes; the other methods manage loaded models."""

    def hold(self, manifest: Manifest) -> None:
        """Load a version, unless it is held, so that processes forked from now on share it.

        Raises `ArtifactMissing`, `ArtifactMismatch`, `UntrustedArtifact` or `ModelUnloadable`.
        """

    def drop(self, reference: str) -> bool:
        """Forget a version, as model:version; whether it was held."""

    def held(self) -> dict[str, LoadCost]:
        """Versions that are held, as model:version."""

    def runtime_of(self, manifest: Manifest) -> str:
        """The library that computes a version, and its version, for receipts; raises as `hold`."""

    def answer(self, manifest: Manifest, method: str, given: Input) -> Answer:
        """Call a method once for a part of a `Table`; loads the version if it is not held.

        Raises `ModelError` if the model refuses the rows, `OutOfMemory` if the call needs more
        memory than there is now, and as `hold` if the version cannot be loaded.
        """


Rows = list[list[Any]] | Table
"""Validated rows of the wire, or the table that was made of rows of another kind."""


def predict(engine: Engine, manifest: Manifest, method: str, rows: Rows) -> Computed:
    """Predict validated rows, one prediction per row; raises as `Engine.answer`."""
    table = rows if isinstance(rows, Table) else _table(manifest, method, rows)
    answer = answer_table(table, lambda given: engine.answer(manifest, method, given))
    with convert_model_errors():
        return Computed(to_wire(answer.output), answer.milliseconds, table, answer.output)


def _table(manifest: Manifest, method: str, rows: list[list[Any]]) -> Table:
    with convert_model_errors():
        return Table.of(input_of(manifest.signature, method), rows)


def answer_table(table: Table, call: Callable[[Input], Answer]) -> Answer:
    """Answer a table, one entry per row in its order: one call for each of `Table.parts`.

    Raises what ``call`` raises, and `ModelError` if the rows cannot be converted for the model.
    """
    with convert_model_errors():
        parts = [*table.parts()]
    answers = [_checked(call(given), len(given)) for _, given in parts]
    if len(parts) == 1:
        return answers[0]
    with convert_model_errors():
        output = merge_outputs(
            [answer.output for answer in answers], [indices for indices, _ in parts]
        )
    return Answer(output, round(sum(answer.milliseconds for answer in answers), 3))


def _checked(answer: Answer, rows: int) -> Answer:
    """Check that there is one entry per row, or rows would get the answers of other rows."""
    output = answer.output
    for each in output if isinstance(output, list) else [output]:
        if len(each) != rows:
            raise ModelError(f"the model gave {len(each)} predictions for {rows} rows")
    return answer


def call_method(model: Any, method: str, given: Input) -> Answer:
    """Call a model's method.

    Raises `ModelError` if the method raises or does not give one entry per row, and `OutOfMemory`.
    """
    started = time.perf_counter()
    # One thread per process, whatever `n_jobs` the model has: the pool is the parallelism.
    with (
        convert_model_errors(),
        warnings.catch_warnings(),
        joblib.parallel_config(backend="sequential"),
    ):
        warnings.simplefilter("ignore")
        output = getattr(model, method)(given)
    taken = time.perf_counter() - started
    with convert_model_errors():
        return Answer(to_output(output, len(given)), round(taken * 1000, 3))


class SklearnEngine:
    """Engine for scikit-learn models, and for models with the same interface."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._models = ModelCache(self._load, partial(is_current, registry), models_budget())

    def hold(self, manifest: Manifest) -> None:
        """See `Engine`."""
        self._models.get(manifest)

    def drop(self, reference: str) -> bool:
        """See `Engine`."""
        return self._models.drop(reference)

    def held(self) -> dict[str, LoadCost]:
        """See `Engine`; the least recently used first."""
        return self._models.held()

    def runtime_of(self, manifest: Manifest) -> str:
        """See `Engine`."""
        runtime: str = self._models.get(manifest).runtime
        return runtime

    def answer(self, manifest: Manifest, method: str, given: Input) -> Answer:
        """See `Engine`."""
        held: _Held = self._models.get(manifest)
        with held.imported():
            return _in_state(held.state, partial(call_method, held.estimator, method, given))

    def _load(self, manifest: Manifest) -> "_Held":
        check_environment(manifest, self._registry.home)
        self._registry.check_signature(manifest)
        # The libraries that compute all other versions leave the state of the process alone, and a
        # look at it would take longer than a row.
        state = ProcessState(manifest.reference) if manifest.runs_code else None
        with warnings.catch_warnings():
            return _in_state(state, partial(self._loaded, manifest, state))

    def _loaded(self, manifest: Manifest, state: ProcessState | None) -> "_Held":
        loaded = load_artifact(self._registry.artifact(manifest), manifest)
        original, imported = loaded.estimator, loaded.imported
        with imported():
            estimator = accelerated(original, manifest.reference)
            served, more = optimized(original, estimator, manifest)
        runtime = runtime_name(manifest) or f"scikit-learn {version('scikit-learn')}"
        runtime += packages_named(manifest, runtime)
        named = runtime if estimator is original else f"{runtime}, exact kernels"
        return _Held(served, named + more, imported, state)


class _Held(msgspec.Struct, frozen=True):
    estimator: Any
    runtime: str
    imported: Imported
    state: ProcessState | None


def _in_state(state: ProcessState | None, call: Callable[[], ResultType]) -> ResultType:
    return call() if state is None else state.run(call)


@contextmanager
def convert_model_errors() -> Iterator[None]:
    """Raise any exception of a model or of a row conversion as `ModelError` or `OutOfMemory`."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory from error
    except ModelError:
        raise
    # A model may raise anything, or call `sys.exit`; the caller gets its message.
    except (Exception, SystemExit) as error:
        raise ModelError(error_text(error)) from error
