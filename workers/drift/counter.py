"""Counts the rows and answers of the versions that a process computes, and adds them up in Redis.

Rows are kept as they are, and counted together every few seconds; of more rows than `COUNTED_ROWS`
only these are counted. So counting costs little, however many rows there are.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

import msgspec
import numpy as np
import redis

from registry.baseline import Baseline
from registry.manifest import Column, Manifest, Signature
from registry.store import Registry
from tasks.drift.counts import DriftCounts
from telemetry.errors import PredictqError
from telemetry.logs import of_version
from workers.drift.counting import counts_of
from workers.drift.describing import counted_columns
from workers.drift.outputs import outputs_of
from workers.drift.values import held_bytes
from workers.models.tabular.columns import Array
from workers.models.tabular.outputs import Output, joined_outputs
from workers.models.tabular.table import Table

log = logging.getLogger(__name__)
NoteRows = Callable[[Manifest, Table, Mapping[str, Output]], None]
"""Takes rows of a version and the answers to them: `DriftCounter.note`."""
COUNTED_ROWS = 1024
"""Rows of a version that a process counts between two writes."""
COUNTED_BYTES = 2**24
"""Bytes of rows and answers of a version from which on no more are kept to be counted."""
WRITE_SECONDS = 5.0
"""Seconds between two writes while there is work."""


class _Noted(msgspec.Struct):
    manifest: Manifest
    baseline: Baseline | None
    """None if rows of the version are not counted."""
    tables: list[Table] = msgspec.field(default_factory=list)
    answers: dict[str, list[Output]] = msgspec.field(default_factory=lambda: defaultdict(list))
    rows: int = 0
    bytes: int = 0

    def takes(self) -> int:
        """How many rows more are kept."""
        if self.baseline is None or self.bytes >= COUNTED_BYTES:
            return 0
        return COUNTED_ROWS - self.rows

    def keep(self, table: Table, answers: Mapping[str, Output]) -> None:
        """Keep rows, and the answers to them, until they are counted."""
        self.tables.append(table)
        self.rows += len(table)
        self.bytes += sum(map(held_bytes, table.arrays()))
        for method, output in answers.items():
            self.answers[method].append(output)
            self.bytes += sum(map(held_bytes, output if isinstance(output, list) else [output]))


class DriftCounter:
    """The counts of one process. Raises nothing: predictions do not depend on them."""

    def __init__(
        self, registry: Registry, counts: DriftCounts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._registry, self._counts, self._clock = registry, counts, clock
        self._noted: dict[str, _Noted] = {}
        self._began = 0.0

    @property
    def waits(self) -> bool:
        """Whether there are rows that are not written."""
        return bool(self._noted)

    def note(self, manifest: Manifest, table: Table, answers: Mapping[str, Output]) -> None:
        """Note rows of a version, in the form that `Table` has them, and the answers to them."""
        noted = self._noted.get(manifest.reference) or self._begin(manifest)
        left = noted.takes()
        if not left:
            return
        if len(table) > left:  # evenly, as rows of a file may be sorted
            chosen = np.linspace(0, len(table) - 1, left).astype(np.intp)
            table, answers = table[chosen], {m: _chosen(o, chosen) for m, o in answers.items()}
        noted.keep(table, answers)

    def write_if_due(self) -> None:
        """Write what was noted, unless the last write was just now."""
        if self._noted and self._clock() - self._began > WRITE_SECONDS:
            self.write()

    def write(self) -> None:
        """Count what was noted, and add it up in Redis."""
        for noted in self._noted.values():
            try:
                self._write(noted)
            except redis.RedisError:  # the ledger says so in the log
                continue
            except Exception as error:  # noqa: BLE001 - any value of a model may be at fault
                extra = of_version(noted.manifest.reference)
                log.warning("rows cannot be counted for drift: %s", error, extra=extra)
        self._noted = {}

    def _begin(self, manifest: Manifest) -> _Noted:
        if not self._noted:
            self._began = self._clock()
        noted = self._noted[manifest.reference] = _Noted(manifest, self._baseline(manifest))
        return noted

    def _baseline(self, manifest: Manifest) -> Baseline | None:
        """The baseline, unless the version is not ready: then the gate asks for its own sample."""
        try:
            if self._registry.readiness(manifest).status != "ready":
                return None
            return self._registry.baseline(manifest)
        except (PredictqError, OSError):
            return None

    def _write(self, noted: _Noted) -> None:
        if noted.baseline is not None and noted.baseline.features and noted.rows:
            counts = _counted(noted, noted.baseline)
            self._counts.add(noted.manifest.reference, noted.baseline.digest, counts)


def _counted(noted: _Noted, baseline: Baseline) -> dict[int, int]:
    """Place among all counts of the baseline → rows; without zeros."""
    signature = noted.manifest.signature
    tables = _stacked(signature, noted.tables)
    arrays = {
        column.name: (column, [table.column(index) for table in tables])
        for index, column in counted_columns(signature)
    }
    answers = {method: joined_outputs(each) for method, each in noted.answers.items()}
    outputs = {name: [array] for name, array in outputs_of(signature, answers)}
    found: dict[int, int] = {}
    for start, feature in zip(baseline.starts, baseline.features, strict=False):
        if feature.kind == "column":
            counts = counts_of(feature, *arrays[feature.name])
        elif feature.name in outputs:
            column = Column(feature.name, "number" if feature.is_ordered else "any")
            counts = counts_of(feature, column, outputs[feature.name])
        else:
            continue
        found |= {start + int(i): int(counts[i]) for i in np.flatnonzero(counts)}
    return found


def _stacked(signature: Signature, tables: list[Table]) -> list[Table]:
    """All rows in one table, if every table is a matrix; otherwise the tables unchanged."""
    matrices = [matrix for table in tables if (matrix := table.matrix()) is not None]
    if len(matrices) < len(tables):
        return tables
    return [Table(signature, matrix=np.concatenate(matrices))]


def _chosen(output: Output, rows: Array) -> Output:
    return [each[rows] for each in output] if isinstance(output, list) else output[rows]
