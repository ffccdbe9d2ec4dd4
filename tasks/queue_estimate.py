"""What a queued prediction can be told: its place, what it waits for, and for how long."""

import logging
import threading
import time
from typing import Literal

import msgspec
import redis
from msgspec import UNSET, UnsetType

from tasks.ledger.queue.queue_snapshot import QueueSnapshot, QueueSnapshots
from tasks.record import Record

log = logging.getLogger(__name__)
STALE = 1.0
"""Seconds for which what is known of the queue is good enough."""
STALE_FOR_NEWER = 0.1
"""The same for a prediction that came since."""
WaitingFor = Literal["no_worker", "model_loading", "capacity", "paused"]


class QueueEstimate(msgspec.Struct, frozen=True):
    """As far as it is known."""

    queue_position: int | UnsetType = UNSET
    eta_seconds: float | UnsetType = UNSET
    waiting_for: WaitingFor | UnsetType = UNSET


UNKNOWN = QueueEstimate()


class QueueEstimates:
    """Of the predictions on one queue; asks Redis once a second at most, whoever asks us."""

    def __init__(self, client: redis.Redis, queue: str) -> None:
        self._situations = QueueSnapshots(client)
        self._queue = queue
        self._known: QueueSnapshot | None = None
        self._asked = -STALE
        self._asking = threading.Lock()

    def is_stale_for(self, record: Record) -> bool:
        """Whether `freshen` would ask."""
        known, number = self._known, record.number
        # Who has just submitted is not told: that must cost one round trip, and has.
        if record.state != "queued" or number is UNSET:
            return False
        newer = known is None or number > known.taken + known.depth
        return time.monotonic() - self._asked > (STALE_FOR_NEWER if newer else STALE)

    def freshen(self, record: Record) -> None:
        """Ask Redis how it stands, where what is known is too old for this prediction."""
        if not self.is_stale_for(record) or not self._asking.acquire(blocking=self._known is None):
            return  # another thread is at it
        try:
            if self.is_stale_for(record):
                self._asked = time.monotonic()
                self._known = self._situations.of(self._queue)
        except redis.RedisError as error:
            self._known = None
            log.warning("nothing is known of the queue: %s", error, extra={"queue": self._queue})
        finally:
            self._asking.release()

    def of(self, record: Record) -> QueueEstimate:
        """What is known, without asking."""
        if self._known is None or record.state != "queued" or record.number is UNSET:
            return UNKNOWN
        return outlook(record.reference, record.number, self._known)


def outlook(reference: str, number: int, now: QueueSnapshot) -> QueueEstimate:
    """Of one prediction that is queued."""
    # What came back stands in front again; what an operator purged is no longer there.
    position = min(max(number - now.taken, 0), now.depth)
    waiting_for = _waiting_for(reference, position, now)
    if waiting_for == "paused":
        return QueueEstimate(waiting_for=waiting_for)
    eta = _eta(position, now) if waiting_for == "capacity" else UNSET
    return QueueEstimate(position, eta, waiting_for)


def general(now: QueueSnapshot) -> WaitingFor | UnsetType:
    """What a prediction that comes now would wait for, whatever its version."""
    if not now.workers:
        return "no_worker"
    if not _compute(now):
        return "model_loading"
    if now.paused:
        return "paused"
    return "capacity" if now.depth else UNSET


def _waiting_for(reference: str, position: int, now: QueueSnapshot) -> WaitingFor:
    if reference in now.paused:
        return "paused"
    if not now.workers:
        return "no_worker"
    # A version is loaded once a worker has taken a message for it; before that others are in front.
    is_loaded = any(reference in worker["loaded"] for worker in now.workers)
    if not _compute(now) or (position == 0 and not is_loaded):
        return "model_loading"
    return "capacity"


def _compute(now: QueueSnapshot) -> bool:
    return any(worker["processes"] for worker in now.workers)


def _eta(position: int, now: QueueSnapshot) -> float | UnsetType:
    """Until the outcome: what is in front, and as many as are computed at a time (Little's law)."""
    return round((position + now.held) / now.rate, 3) if now.rate else UNSET
