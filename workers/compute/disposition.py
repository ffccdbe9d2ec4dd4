"""Decides the disposition of a request: it is settled with an outcome, or retried later."""

import logging
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from tasks.callers.caller import DEFAULT_TENANT
from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.attempts import NotStarted, Start
from tasks.ledger.predictions.settled import Settled
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
from workers.protocol import Disposition, Instruction, Item

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


Decision = Settled | Postponed
"""The ledger's write for a request; the worker gets its `Disposition`."""


def backoff_of(error: PredictqError) -> float:
    """Seconds between the first attempt and the second; postpone.lua doubles them."""
    return OUTAGE if _is_away(error) else BACKOFF


def _is_away(error: Exception) -> bool:
    return isinstance(error, RegistryUnavailable)


def failed(record: Record, item: Item, error: Exception, attempt: int) -> Decision:
    """Postpone a request that broken infrastructure failed, up to `MAX_ATTEMPTS`; fail any other.

    ``attempt`` is the number of the attempt that failed.
    """
    error = OutOfMemory() if isinstance(error, MemoryError) else error
    traceback = traceback_of(error)
    tenant = record.tenant or DEFAULT_TENANT
    told = item.id, record.model, record.version, attempt, tenant, traceback
    fields = failure(*told, item.traceparent)
    log.warning("a prediction failed: %s", error_text(error), extra=fields)
    # Loading already took `MAX_RUN_SECONDS`, and would hang as long at the next attempt.
    hung = item.instruction is Instruction.GIVE_UP_LOADING and not _is_away(error)
    is_final = attempt >= MAX_ATTEMPTS or hung
    if isinstance(error, PredictqError) and error.retried and not is_final:
        return Postponed(item, error, traceback)
    # These two errors belong to the previous computation; this attempt only settles them.
    begun = attempt - isinstance(error, WorkerLost | TimedOut)
    is_dead = isinstance(error, PredictqError) and error.infrastructure
    settled = record.failed(error, begun, traceback)
    return Settled(settled, item.tag, begun if is_dead else None)


def disposition_of(decision: Decision | None, start: Start) -> Disposition:
    """The disposition of a request; ``decision`` is None if the request did not start."""
    if decision is None:
        return Disposition("suspect" if start is NotStarted.SUSPECT else "dropped")
    if isinstance(decision, Postponed):
        error = f"{decision.error.code}: {decision.error.message}"
        return Disposition("retrying", error, decision.traceback or "")
    record = decision.record
    error = f"{record.error.code}: {record.error.message}" if record.error else ""
    return Disposition(record.state, error, record.traceback or "")


def note_decisions(ledger: Ledger, decisions: Iterable[Decision]) -> None:
    """Write all decisions to the ledger.

    One round trip for each version that has outcomes, and one for each kind of retry.
    """
    versions: dict[str, list[Settled]] = defaultdict(list)
    postponed: dict[tuple[bool, float], list[tuple[str, str]]] = defaultdict(list)
    for decision in decisions:
        if isinstance(decision, Settled):
            # One call of settle.lua counts the statistics and the failures of one version.
            versions[decision.record.reference].append(decision)
        else:
            how = decision.is_suspect, backoff_of(decision.error)
            postponed[how].append((decision.item.tag, decision.item.id))
    for version, settled_together in versions.items():
        ledger.settle(version, settled_together)
    # If this process dies before all is written, the rest is still reserved and is computed again.
    for (suspect, backoff), tagged_ids in postponed.items():
        ledger.postpone(tagged_ids, suspect=suspect, backoff=backoff)
