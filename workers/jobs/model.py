"""The model of a job: what its methods give for some rows of a block."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import pairwise, starmap
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from registry.manifest import Manifest
from registry.methods import check_method
from registry.store import Registry
from tasks.clocks import LONGEST_RUN
from tasks.jobs.job import Order
from workers.engine import Engine, check_output
from workers.resolving import resolve

CALL = 10 * 2**20
"""Bytes of numbers in a call; for more, what a model works on would leave the processor's cache."""
Limited = Callable[[float], AbstractContextManager[None]]
"""Ends this process where what is done meanwhile takes longer than so many seconds."""
Answers = Mapping[str, Any]
"""Method → what it gave: an array with an entry a row, or a list of such, one an output."""


class Models:
    """What jobs may ask for, while the registry has it."""

    def __init__(self, engine: Engine, registry: Registry, limited: Limited) -> None:
        self._engine, self._registry, self._limited = engine, registry, limited

    def of(self, order: Order) -> "Model":
        """The model of a job; raises `VersionNotFound` and the like, once it is removed.

        `RegistryUnavailable` where nobody can tell now.
        """
        manifest = resolve(self._registry, order.reference).manifest
        for method in order.methods:
            check_method(manifest, method)
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

    def answer(self, features: Any, rows: slice) -> Answers:
        """What each method gives for these rows of the features; raises as `Engine.answer`."""
        return joined([self._call(features, part) for part in self._parts(rows)])

    def _parts(self, rows: slice) -> Iterator[slice]:
        size = rows.stop - rows.start
        parts = -(-size // rows_in(CALL, self.width))
        borders = [rows.start + size * part // parts for part in range(parts + 1)]
        return starmap(slice, pairwise(borders))

    def _call(self, features: Any, rows: slice) -> Answers:
        given = features.iloc[rows] if isinstance(features, pd.DataFrame) else features[rows]
        with self.limited(LONGEST_RUN):
            return {method: self._answer(method, given) for method in self.methods}

    def _answer(self, method: str, given: Any) -> Any:
        output = self.engine.answer(self.manifest, method, given).output
        check_output(output, len(given))
        return output


def rows_in(size: int, width: int) -> int:
    """How many rows of so many numbers are that many bytes; one at least."""
    return max(size // (8 * max(width, 1)), 1)


def joined(answers: list[Answers]) -> Answers:
    """The answers to pieces of a block as one."""
    if len(answers) == 1:
        return answers[0]
    return {method: _joined([each[method] for each in answers]) for method in answers[0]}


def _joined(outputs: list[Any]) -> Any:
    if isinstance(outputs[0], list) and isinstance(outputs[0][0], np.ndarray):
        return [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]
    return np.concatenate([o.toarray() if hasattr(o, "toarray") else o for o in outputs])
