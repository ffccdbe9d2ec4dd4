"""Computes a batch in a pool's process: start, read, call the models, settle."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

import msgspec

from registry import validation
from registry.manifest import Manifest
from registry.methods import check_method
from registry.store import Registry
from tasks.clocks import MAX_ATTEMPTS
from tasks.ledger.canaries import CANARY
from tasks.ledger.ledger import Ledger
from tasks.ledger.settlement import Settled
from tasks.messages import Call, read_call
from tasks.record import Receipt, Record
from telemetry.errors import (
    Malformed,
    ModelUnloadable,
    OutOfMemory,
    PredictqError,
    TimedOut,
    WorkerLost,
)
from workers.bisection import bisect
from workers.engine import Computed, Engine
from workers.frames import Item, Verdict

log = logging.getLogger(__name__)


class Asked(msgspec.Struct, frozen=True):
    """One request of a batch, read and checked."""

    item: Item
    attempt: int
    record: Record
    manifest: Manifest
    rows: list[list[Any]]


class Postponed(msgspec.Struct, frozen=True):
    """One that is tried again later."""

    item: Item
    error: PredictqError

    @property
    def is_suspect(self) -> bool:
        """Whether it is better computed alone; a load that failed is no request's fault."""
        return not isinstance(self.error, ModelUnloadable)


Ending = Settled | Postponed


class Computation:
    """What a process does with batches; each costs two round trips to the ledger."""

    def __init__(
        self,
        engine: Engine,
        registry: Registry,
        ledger: Ledger,
        limited: Callable[[float], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        """``limited`` ends this process where what is done in it takes so many seconds."""
        self._engine = engine
        self._registry = registry
        self._ledger = ledger
        self._limited = limited

    def run(self, items: Sequence[Item]) -> list[tuple[Verdict, str]]:
        """Settle each item, unless it has its outcome or must run alone; says what became of it."""
        attempts = self._ledger.start([(item.tag, item.id) for item in items])
        with self._limited(min(item.limit for item in items)):
            endings = self._endings(items, attempts)
        self._note(endings.values())
        return [
            _verdict(endings.get(item.tag), attempt)
            for item, attempt in zip(items, attempts, strict=True)
        ]

    def _note(self, endings: Iterable[Ending]) -> None:
        versions: dict[str, list[Settled]] = defaultdict(list)
        postponed: dict[bool, list[tuple[str, str]]] = defaultdict(list)
        for ending in endings:
            if isinstance(ending, Settled):
                versions[ending.record.reference].append(ending)
            else:
                postponed[ending.is_suspect].append((ending.item.tag, ending.item.id))
        for version, settled_together in versions.items():
            self._ledger.settle(version, settled_together)
        for suspect, tagged_ids in postponed.items():
            self._ledger.postpone(tagged_ids, suspect=suspect)

    def _endings(self, items: Sequence[Item], attempts: Sequence[int]) -> dict[str, Ending]:
        """Tag → outcome, or why there is none yet, of all that were started."""
        endings: dict[str, Ending] = {}
        groups: dict[Any, list[Asked]] = defaultdict(list)
        for item, attempt in zip(items, attempts, strict=True):
            if attempt < 1:
                continue
            read = self._read(item, attempt)
            if isinstance(read, Asked):
                groups[_group(read)].append(read)
            else:
                endings[item.tag] = read
        for group in groups.values():
            tags = (asked.item.tag for asked in group)
            endings.update(zip(tags, self._answer(group), strict=True))
        return endings

    def _read(self, item: Item, attempt: int) -> Asked | Ending:
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
            return _failed(record, item, error, attempt)
        return Asked(item, attempt, record, resolved.manifest, rows)

    def _answer(self, group: list[Asked]) -> list[Ending]:
        """Endings of requests that can share a model call."""
        started_at = time.time()
        answers = bisect(group, self._call)
        return [
            _failed(asked.record, asked.item, answer, asked.attempt)
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


def _failed(record: Record, item: Item, error: Exception, attempt: int) -> Ending:
    """What broken infrastructure ended is tried again, so many times; the rest fails."""
    error = OutOfMemory() if isinstance(error, MemoryError) else error
    unforeseen = None if isinstance(error, PredictqError) else error
    log.warning("attempt %s at %s failed: %s", attempt, item.id, error, exc_info=unforeseen)
    if isinstance(error, PredictqError) and error.retried and attempt < MAX_ATTEMPTS:
        return Postponed(item, error)
    # Those two are about the computation before, and this attempt begins none.
    begun = attempt - isinstance(error, WorkerLost | TimedOut)
    is_dead = isinstance(error, PredictqError) and error.infrastructure
    return Settled(record.failed(error, begun), item.tag, begun if is_dead else 0)


def _verdict(ending: Ending | None, attempt: int) -> tuple[Verdict, str]:
    if ending is None:
        return ("suspect" if attempt < 0 else "dropped"), ""
    if isinstance(ending, Postponed):
        return "retrying", f"{ending.error.code}: {ending.error.message}"
    record = ending.record
    error = f"{record.error.code}: {record.error.message}" if record.error else ""
    return record.state, error
