"""Queue estimates: position, expected wait and the reason for the wait of a queued prediction."""

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
MAX_AGE = 1.0
"""Seconds for which a queue snapshot is used again."""
MAX_AGE_FOR_NEWER = 0.1
"""Seconds after which a new snapshot is taken for a prediction accepted since the last one."""
WaitingFor = Literal["no_worker", "model_loading", "capacity", "paused"]


class QueueEstimate(msgspec.Struct, frozen=True):
    """The estimate for one prediction; fields that are not known are left out."""

    queue_position: int | UnsetType = UNSET
    eta_seconds: float | UnsetType = UNSET
    waiting_for: WaitingFor | UnsetType = UNSET


UNKNOWN = QueueEstimate()


class QueueEstimates:
    """Estimates for predictions on one queue; reads Redis at most once a second."""

    def __init__(self, client: redis.Redis, queue: str) -> None:
        self._snapshots = QueueSnapshots(client)
        self._queue = queue
        self._known: QueueSnapshot | None = None
        self._asked = -MAX_AGE
        self._asking = threading.Lock()

    @property
    def is_abandoned(self) -> bool:
        """Whether the queue is known to have no message, and no worker."""
        known = self._known
        return known is not None and not known.depth and not known.workers

    def is_stale_for(self, record: Record) -> bool:
        """Whether `freshen` would read a new snapshot."""
        known, number = self._known, record.number
        # A fresh submission has no number here: its answer must cost a single round trip.
        if record.state != "queued" or number is UNSET:
            return False
        newer = known is None or number > known.taken + known.depth
        return time.monotonic() - self._asked > (MAX_AGE_FOR_NEWER if newer else MAX_AGE)

    def freshen(self, record: Record) -> None:
        """Read a new snapshot from Redis if the known one is too old for this prediction."""
        # Before the first snapshot there is nothing to answer from, so all wait for it. Later a
        # caller takes the known one while another thread reads.
        if not self.is_stale_for(record) or not self._asking.acquire(blocking=self._known is None):
            return
        try:
            # Checked again: another thread may have read it while this one waited for the lock.
            if self.is_stale_for(record):
                # Before the call, so that a Redis that fails is not asked more often.
                self._asked = time.monotonic()
                self._known = self._snapshots.of(self._queue)
        except redis.RedisError as error:
            self._known = None
            log.warning(
                "the state of the queue cannot be read: %s", error, extra={"queue": self._queue}
            )
        finally:
            self._asking.release()

    def of(self, record: Record) -> QueueEstimate:
        """The estimate from the known snapshot, without asking Redis."""
        if self._known is None or record.state != "queued" or record.number is UNSET:
            return UNKNOWN
        return estimate(record.reference, record.number, self._known)


def estimate(reference: str, number: int, now: QueueSnapshot) -> QueueEstimate:
    """The queue estimate of one queued prediction; ``number`` is its record's."""
    # Returned messages stand in front again (max); purged messages no longer count (min).
    position = min(max(number - now.taken, 0), now.depth)
    waiting_for = _waiting_for(reference, position, now)
    if waiting_for == "paused":
        return QueueEstimate(waiting_for=waiting_for)
    eta = _eta(position, now) if waiting_for == "capacity" else UNSET
    return QueueEstimate(position, eta, waiting_for)


def general(now: QueueSnapshot) -> WaitingFor | UnsetType:
    """The reason for which a prediction submitted now would wait, regardless of its version."""
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
    # A worker loads a version when it takes the version's first message, so only the message at the
    # head of the queue can wait for loading.
    is_loaded = any(reference in worker["loaded"] for worker in now.workers)
    if not _compute(now) or (position == 0 and not is_loaded):
        return "model_loading"
    return "capacity"


def _compute(now: QueueSnapshot) -> bool:
    return any(worker["processes"] for worker in now.workers)


def _eta(position: int, now: QueueSnapshot) -> float | UnsetType:
    """Seconds until the outcome (Little's law): messages in front and in workers over the rate."""
    return round((position + now.reserved) / now.rate, 3) if now.rate else UNSET
