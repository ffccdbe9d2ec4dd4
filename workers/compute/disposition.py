"""Decides what becomes of a request: it is settled with an outcome, or retried later."""

import logging
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.attempts import NotStarted, Start
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
from telemetry.tracebacks import error_text, traceback_of
from workers.protocol import Fate, Instruction, Item

log = logging.getLogger(__name__)


class Postponed(msgspec.Struct, frozen=True):
    """A request that is retried later."""

    item: Item
    error: PredictqError
    traceback: str | None = None

    @property
    def is_suspect(self) -> bool:
        """Whether the retry runs alone; not if a model or the registry could not be read."""
        return not isinstance(self.error, ModelUnloadable | RegistryUnavailable)


Settling = Settled | Postponed


def backoff_of(error: PredictqError) -> float:
    """Seconds between the first attempt and the second."""
    return OUTAGE if _is_away(error) else BACKOFF


def _is_away(error: Exception) -> bool:
    return isinstance(error, RegistryUnavailable)


def failed(record: Record, item: Item, error: Exception, attempt: int) -> Settling:
    """Postpone a request that broken infrastructure failed, up to `MAX_ATTEMPTS`; fail any other.

    ``attempt`` is the number of the attempt that failed.
    """
    error = OutOfMemory() if isinstance(error, MemoryError) else error
    traceback = traceback_of(error)
    fields = failure(item.id, record.model, record.version, attempt, traceback)
    log.warning("a prediction failed: %s", error_text(error), extra=fields)
    # Loading already took `LONGEST_RUN`, and would hang as long at the next attempt.
    hung = item.instruction is Instruction.GIVE_UP_LOADING and not _is_away(error)
    is_final = attempt >= MAX_ATTEMPTS or hung
    if isinstance(error, PredictqError) and error.retried and not is_final:
        return Postponed(item, error, traceback)
    # These two errors belong to the previous computation; this attempt only settles them.
    begun = attempt - isinstance(error, WorkerLost | TimedOut)
    is_dead = isinstance(error, PredictqError) and error.infrastructure
    settled = record.failed(error, begun, traceback)
    return Settled(settled, item.tag, begun if is_dead else None)


def fate(ending: Settling | None, start: Start) -> Fate:
    """The worker's view of what became of a request; ``ending`` is None if it did not start."""
    if ending is None:
        return Fate("suspect" if start is NotStarted.SUSPECT else "dropped")
    if isinstance(ending, Postponed):
        error = f"{ending.error.code}: {ending.error.message}"
        return Fate("retrying", error, ending.traceback or "")
    record = ending.record
    error = f"{record.error.code}: {record.error.message}" if record.error else ""
    return Fate(record.state, error, record.traceback or "")


def note_dispositions(ledger: Ledger, endings: Iterable[Settling]) -> None:
    """Write all dispositions to the ledger.

    One round trip for each version that has outcomes, and one for each kind of retry.
    """
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
