"""The model of a job: what its methods give for some rows of a block."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import pairwise, starmap

import msgspec

from registry.manifest import Manifest
from registry.methods import check_job_method
from registry.store import Registry
from tasks.jobs.job import JobRequest
from tasks.time_limits import LONGEST_RUN
from workers.models.engine import Engine, ask
from workers.models.resolving import resolve_pinned
from workers.models.tabular import outputs
from workers.models.tabular.outputs import Output
from workers.models.tabular.table import Table

CALL = 10 * 2**20
"""Bytes of numbers in a call; for more, what a model works on would leave the processor's cache."""
Limited = Callable[[float], AbstractContextManager[None]]
"""Ends this process where what is done meanwhile takes longer than so many seconds."""
Answers = Mapping[str, Output]
"""Method → what it gave."""


class Models:
    """What jobs may ask for, while the registry has it."""

    def __init__(self, engine: Engine, registry: Registry, limited: Limited) -> None:
        self._engine, self._registry, self._limited = engine, registry, limited

    def of(self, order: JobRequest) -> "Model":
        """The model of a job; raises `VersionNotFound` and the like, once it is removed.

        `RegistryUnavailable` where nobody can tell now.
        """
        manifest = resolve_pinned(self._registry, order.reference).manifest
        for method in order.methods:
            check_job_method(manifest, method)
        return Model(self._engine, manifest, order.methods, self._limited)


class Model(msgspec.Struct, frozen=True):
    """A version, and what is asked of it."""

    engine: Engine
    manifest: Manifest
    methods: tuple[str, ...]
    limited: Limited

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return len(self.manifest.signature.columns)

    def answer(self, features: Table, rows: slice) -> Answers:
        """What each method gives for these rows of the features; raises as `Engine.answer`."""
        return joined([self._call(features[part]) for part in self._parts(rows)])

    def _parts(self, rows: slice) -> Iterator[slice]:
        size = rows.stop - rows.start
        parts = -(-size // rows_in(CALL, self.width))
        borders = [rows.start + size * part // parts for part in range(parts + 1)]
        return starmap(slice, pairwise(borders))

    def _call(self, given: Table) -> Answers:
        with self.limited(LONGEST_RUN):
            return {method: self._ask(given, method) for method in self.methods}

    def _ask(self, given: Table, method: str) -> Output:
        return ask(given, lambda part: self.engine.answer(self.manifest, method, part)).output


def rows_in(size: int, width: int) -> int:
    """How many rows of so many numbers are that many bytes; one at least."""
    return max(size // (8 * max(width, 1)), 1)


def joined(answers: list[Answers]) -> Answers:
    """The answers to pieces of a block as one."""
    if len(answers) == 1:
        return answers[0]
    return {method: outputs.joined([each[method] for each in answers]) for method in answers[0]}
