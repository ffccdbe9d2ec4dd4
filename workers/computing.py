"""Computes a batch in a pool's process: start, read, call the models, settle."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec

from registry import validation
from registry.manifest import Manifest
from registry.methods import check_method
from registry.store import Registry
from tasks.ledger.canaries import CANARY
from tasks.ledger.ledger import Ledger, Settled
from tasks.messages import Call, read_call
from tasks.record import Receipt, Record
from telemetry.errors import Malformed, PredictqError, TimedOut, WorkerLost
from workers.bisection import bisect
from workers.engine import Computed, Engine
from workers.frames import Item, Verdict

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 4
"""Computations of one prediction that may end in the death of their process: the first may have
been in company, and then it was perhaps another's fault; three were alone."""


class Asked(msgspec.Struct, frozen=True):
    """One request of a batch, read and checked."""

    item: Item
    attempt: int
    record: Record
    manifest: Manifest
    rows: list[list[Any]]


class Computation:
    """What a process does with batches; each costs two round trips to the ledger."""

    def __init__(self, engine: Engine, registry: Registry, ledger: Ledger) -> None:
        self._engine = engine
        self._registry = registry
        self._ledger = ledger

    def run(self, items: Sequence[Item]) -> list[tuple[Verdict, str]]:
        """Settle each item, unless it has its outcome or must run alone; says what became of it."""
        attempts = self._ledger.start([(item.tag, item.id) for item in items])
        outcomes = self._outcomes(items, attempts)
        versions: dict[str, list[Settled]] = defaultdict(list)
        for settled in outcomes.values():
            versions[settled.record.reference].append(settled)
        for version, settled_together in versions.items():
            self._ledger.settle(version, settled_together)
        return [
            _verdict(outcomes.get(item.tag), attempt)
            for item, attempt in zip(items, attempts, strict=True)
        ]

    def _outcomes(self, items: Sequence[Item], attempts: Sequence[int]) -> dict[str, Settled]:
        """Tag → outcome, of all that were started."""
        outcomes: dict[str, Settled] = {}
        groups: dict[Any, list[Asked]] = defaultdict(list)
        for item, attempt in zip(items, attempts, strict=True):
            if attempt < 1:
                continue
            read = self._read(item, attempt)
            if isinstance(read, Settled):
                outcomes[item.tag] = read
            else:
                groups[_group(read)].append(read)
        for group in groups.values():
            outcomes.update((settled.tag, settled) for settled in self._answer(group))
        return outcomes

    def _read(self, item: Item, attempt: int) -> Asked | Settled:
        """The request, or its outcome where it is not to be computed."""
        record = Record.read(item.id, None)
        try:
            call = _call(item)
            record = Record.read(item.id, call)
            if record.reference == CANARY:
                return Settled(record.succeeded([], None), item.tag)
            resolved = self._registry.resolve(call.model)
            record = _pinned(record, resolved.manifest, call.alias or resolved.alias)
            if item.order == "cancel":
                return Settled(record.cancelled(), item.tag)
            if item.expires is not None and item.expires < time.time():
                return Settled(record.expired(), item.tag)
            _refuse_hopeless(item, attempt)
            check_method(resolved.manifest, call.method)
            rows = validation.rows(resolved.manifest.signature, call.features)
        except Exception as error:  # noqa: BLE001 - anybody may have sent it, only it may suffer
            return _failed(record, item, error)
        return Asked(item, attempt, record, resolved.manifest, rows)

    def _answer(self, group: list[Asked]) -> list[Settled]:
        """Outcomes of requests that can share a model call."""
        started_at = time.time()
        answers = bisect(group, self._call)
        return [
            _failed(asked.record, asked.item, answer)
            if isinstance(answer, PredictqError)
            else self._succeeded(asked, *answer, started_at)
            for asked, answer in zip(group, answers, strict=True)
        ]

    def _call(self, group: Sequence[Asked]) -> list[tuple[list[Any], Computed]]:
        """One model call; to each request its predictions, and the call that they came from."""
        manifest, method = group[0].manifest, group[0].record.method
        rows = group[0].rows if len(group) == 1 else [row for asked in group for row in asked.rows]
        computed = self._engine.predict(manifest, method, rows)
        predictions = iter(computed.predictions)  # the engine has checked that there is one a row
        return [([*islice(predictions, len(asked.rows))], computed) for asked in group]

    def _succeeded(
        self, asked: Asked, predictions: list[Any], computed: Computed, started_at: float
    ) -> Settled:
        manifest, record = asked.manifest, asked.record
        receipt = Receipt(
            model=manifest.name,
            version=manifest.version,
            sha256=manifest.sha256,
            alias=record.alias,
            attempt=asked.attempt,
            # Clocks of two hosts may disagree.
            queue_ms=round(max(started_at - record.created_at, 0.0) * 1000, 3),
            compute_ms=computed.milliseconds,
            batch_size=len(computed.predictions),
            runtime=self._engine.runtime,
        )
        return Settled(record.succeeded(predictions, receipt), asked.item.tag)


def _call(item: Item) -> Call:
    if item.content_type != "application/json":
        raise Malformed(f"the body must be application/json, not {item.content_type}")
    return read_call(item.body)


def _pinned(record: Record, manifest: Manifest, alias: str | None) -> Record:
    return msgspec.structs.replace(
        record, model=manifest.name, version=manifest.version, alias=alias
    )


def _refuse_hopeless(item: Item, attempt: int) -> None:
    if item.order == "time out":
        raise TimedOut
    if attempt > MAX_ATTEMPTS:
        raise WorkerLost(f"computing this ended its process {attempt - 1} times")


def _group(asked: Asked) -> tuple[Any, ...]:
    """What requests must share to share a model call; those of an exact version share nothing."""
    manifest = asked.manifest
    alone = asked.item.tag if manifest.exact else None
    return manifest.name, manifest.version, manifest.sha256, asked.record.method, alone


def _failed(record: Record, item: Item, error: Exception) -> Settled:
    unforeseen = None if isinstance(error, PredictqError) else error
    log.warning("prediction %s failed: %s", item.id, error, exc_info=unforeseen)
    return Settled(record.failed(error), item.tag)


def _verdict(settled: Settled | None, attempt: int) -> tuple[Verdict, str]:
    if settled is None:
        return ("suspect" if attempt < 0 else "dropped"), ""
    record = settled.record
    error = f"{record.error.code}: {record.error.message}" if record.error else ""
    return record.state, error
