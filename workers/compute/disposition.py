"""What becomes of a request: it has its outcome, or is tried again later."""

import logging
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tasks.ledger.ledger import ALONE, Ledger
from tasks.ledger.predictions.settlement import Settled
from tasks.record import Record
from tasks.time_limits import BACKOFF, MAX_ATTEMPTS, OUTAGE
from telemetry.errors import (
    ModelUnloadable,
    OutOfMemory,
    PredictqError,
    RegistryUnavailable,
    TimedOut,
    WorkerLost,
)
from telemetry.logs import failure
from telemetry.tracebacks import said, traceback_of
from workers.pool.protocol import Fate, Item

log = logging.getLogger(__name__)


class Postponed(msgspec.Struct, frozen=True):
    """One that is tried again later."""

    item: Item
    error: PredictqError
    traceback: str | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether it is better computed alone; what cannot be read is no request's fault."""
        return not isinstance(self.error, ModelUnloadable | RegistryUnavailable)


Settling = Settled | Postponed


def backoff_of(error: PredictqError) -> float:
    """Seconds before the second attempt."""
    return OUTAGE if _is_away(error) else BACKOFF


def _is_away(error: Exception) -> bool:
    return isinstance(error, RegistryUnavailable)


def failed(record: Record, item: Item, error: Exception, attempt: int) -> Settling:
    """What broken infrastructure ended is tried again, so many times; the rest fails."""
    error = OutOfMemory() if isinstance(error, MemoryError) else error
    traceback = traceback_of(error)
    fields = failure(item.id, record.model, record.version, attempt, traceback)
    log.warning("a prediction failed: %s", said(error), extra=fields)
    # A load that hangs has had its time, and the next would take as long.
    is_final = attempt >= MAX_ATTEMPTS or (item.order == "give up" and not _is_away(error))
    if isinstance(error, PredictqError) and error.retried and not is_final:
        return Postponed(item, error, traceback)
    # Those two are about the computation before, and this attempt begins none.
    begun = attempt - isinstance(error, WorkerLost | TimedOut)
    is_dead = isinstance(error, PredictqError) and error.infrastructure
    settled = record.failed(error, begun, traceback)
    return Settled(settled, item.tag, begun if is_dead else 0)


def fate(ending: Settling | None, attempt: int) -> Fate:
    """What the worker is told: one word, and the error where there is one."""
    if ending is None:
        return Fate("suspect" if attempt == ALONE else "dropped")
    if isinstance(ending, Postponed):
        error = f"{ending.error.code}: {ending.error.message}"
        return Fate("retrying", error, ending.traceback or "")
    record = ending.record
    error = f"{record.error.code}: {record.error.message}" if record.error else ""
    return Fate(record.state, error, record.traceback or "")


def note(ledger: Ledger, endings: Iterable[Settling]) -> None:
    """Tell the ledger, each kind in one round trip."""
    versions: dict[str, list[Settled]] = defaultdict(list)
    postponed: dict[tuple[bool, float], list[tuple[str, str]]] = defaultdict(list)
    for ending in endings:
        if isinstance(ending, Settled):
            versions[ending.record.reference].append(ending)
        else:
            how = ending.is_suspect, backoff_of(ending.error)
            postponed[how].append((ending.item.tag, ending.item.id))
    for version, settled_together in versions.items():
        ledger.settle(version, settled_together)
    for (suspect, backoff), tagged_ids in postponed.items():
        ledger.postpone(tagged_ids, suspect=suspect, backoff=backoff)
