"""The model of a job: answers of its methods for rows of a block."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import pairwise, starmap

import msgspec

from registry.manifest import Manifest
from registry.methods import check_job_method
from registry.store import Registry
from tasks.jobs.job import JobRequest
from tasks.time_limits import MAX_RUN_SECONDS
from workers.models.engine import Engine, answer_table
from workers.models.resolving import resolve_pinned
from workers.models.tabular import outputs
from workers.models.tabular.outputs import Output
from workers.models.tabular.table import Table

CALL_BYTES = 10 * 2**20
"""Bytes of numbers in one call; larger calls would exceed the processor's cache."""
Limited = Callable[[float], AbstractContextManager[None]]
"""Context manager that kills this process if its body takes longer than so many seconds."""
Answers = Mapping[str, Output]
"""Method → its output."""


class Models:
    """Resolves the models of jobs."""

    def __init__(self, engine: Engine, registry: Registry, limited: Limited) -> None:
        self._engine, self._registry, self._limited = engine, registry, limited

    def of(self, request: JobRequest) -> "Model":
        """The model of a job; raises `VersionNotFound` and the like if it was removed.

        Raises `RegistryUnavailable` if the registry cannot be read.
        """
        manifest = resolve_pinned(self._registry, request.reference).manifest
        for method in request.methods:
            check_job_method(manifest, method)
        return Model(self._engine, manifest, request.methods, self._limited)


class Model(msgspec.Struct, frozen=True):
    """A version, and the methods that a job calls on it."""

    engine: Engine
    manifest: Manifest
    methods: tuple[str, ...]
    limited: Limited

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.manifest.signature.columns)

    def answer(self, features: Table, rows: slice) -> Answers:
        """Each method's answers to some rows, in calls of `CALL_BYTES`; raises as the engine."""
        return joined_answers([self._call(features[part]) for part in self._parts(rows)])

    def _parts(self, rows: slice) -> Iterator[slice]:
        size = rows.stop - rows.start
        parts = -(-size // rows_in(CALL_BYTES, self.width))
        # Parts of equal length: a short last one would cost a whole call's overhead for few rows.
        borders = [rows.start + size * part // parts for part in range(parts + 1)]
        return starmap(slice, pairwise(borders))

    def _call(self, given: Table) -> Answers:
        # Each call has the whole limit: a step makes many, and may take hours.
        with self.limited(MAX_RUN_SECONDS):
            return {method: self._ask(given, method) for method in self.methods}

    def _ask(self, given: Table, method: str) -> Output:
        return answer_table(
            given, lambda part: self.engine.answer(self.manifest, method, part)
        ).output


def rows_in(size: int, width: int) -> int:
    """Rows of ``width`` numbers that fit into ``size`` bytes; at least 1."""
    return max(size // (8 * max(width, 1)), 1)


def joined_answers(answers: list[Answers]) -> Answers:
    """The answers to consecutive pieces of a block, joined."""
    if len(answers) == 1:  # the usual case, which needs no copy
        return answers[0]
    return {
        method: outputs.joined_outputs([each[method] for each in answers]) for method in answers[0]
    }
