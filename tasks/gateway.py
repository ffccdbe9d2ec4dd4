"""The front end's way to the workers: submit, look up, cancel."""

import asyncio
import time
from collections import deque

import redis
from msgspec.structs import replace

from tasks.ids import Ids
from tasks.jobs.messages import BULK
from tasks.ledger.ledger import Ledger, RecordTooLong, read_record
from tasks.ledger.predictions.acceptance import Accepted, Offer, Reused
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.canaries import CANARY_MODEL
from tasks.ledger.queue.estimates_by_queue import EstimatesByQueue
from tasks.messages import PREDICT_QUEUE, PREDICT_TASK, Idempotency, Prediction, envelope
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import (
    Forbidden,
    Lost,
    PredictionNotFound,
    PredictqError,
    ResultGone,
    SubmissionUncertain,
)

QUEUE = PREDICT_QUEUE
QUEUES = (QUEUE, BULK)


class Gateway:
    """All that the front end does with predictions. Raises `redis.RedisError` without Redis."""

    def __init__(self, ledger: Ledger, ids: Ids, settings: Settings) -> None:
        self.ledger = ledger
        self._ids = ids
        self._settings = settings
        self._uncertain: deque[str] = deque(maxlen=10_000)
        """Ids of submissions whose acceptance is uncertain."""
        self.queue_estimates = EstimatesByQueue(ledger.client)
        self.is_shutting_down = False
        """Whether this process is shutting down, so that waits must end."""

    def submit(self, prediction: Prediction, idempotency: Idempotency | None = None) -> Record:
        """Put a prediction on the queue. Once this returns, the prediction is safe in Redis.

        If the idempotency key is known, returns the earlier prediction in its current state; if
        another prediction has its answer, the outcome.
        Raises as `Ledger.accept`; `SubmissionUncertain` carries the id, which may be queued or not.
        """
        offer = self.offer(prediction, idempotency)
        try:
            accepted = self.ledger.accept(offer)
        except SubmissionUncertain:
            self.note_uncertain(offer.record.task_id)
            raise
        return _known(offer, accepted) or self.look_up(_id_of(accepted))

    async def accept_async(self, offer: Offer) -> Record:
        """`submit` on an event loop, for what `offer` or `waited_offer` returned."""
        try:
            accepted = await self.ledger.accept_async(offer)
        except SubmissionUncertain:
            self.note_uncertain(offer.record.task_id)
            raise
        return _known(offer, accepted) or await self.look_up_long_async(_id_of(accepted))

    def look_up(self, task_id: str) -> Record:
        """The record of a prediction, by id.

        A prediction whose queue deadline has passed is settled as expired here, so that this works
        without a worker. Raises `PredictionNotFound` for an id that was never given out,
        `ResultGone` after its time to live, and `Lost` where Redis should still have the record.
        """
        record = self.ledger.record(task_id)
        if record is not None and record.is_overdue:
            self.ledger.expire(record)
            record = self.ledger.record(task_id)
        return self.found(task_id, record)

    async def look_up_async(self, task_id: str) -> Record:
        """`look_up` on an event loop; raises `RecordTooLong` if a thread should read the record."""
        record = await self.ledger.record_async(task_id)
        if record is not None and record.is_overdue:
            await self.ledger.expire_async(record)
            record = await self.ledger.record_async(task_id)
        return self.found(task_id, record)

    async def look_up_long_async(self, task_id: str) -> Record:
        """`look_up_async` for a record of any length; a long one is read by a thread."""
        try:
            return await self.look_up_async(task_id)
        except RecordTooLong:
            return await asyncio.to_thread(self.look_up, task_id)

    def begin_shutdown(self) -> None:
        """Note that this process is shutting down."""
        self.is_shutting_down = True

    def cancel(self, task_id: str) -> Record:
        """Cancel a prediction that has no outcome yet, and return the outcome that stands.

        Raises `Forbidden` for a canary, since anyone can guess its id.
        """
        record = self.look_up(task_id)
        if record.reference == CANARY_MODEL:
            raise Forbidden("a canary belongs to the workers and cannot be cancelled")
        if not record.is_terminal:
            # Without a tag: the message stays where it is, and `start.lua` drops it in its turn.
            self.ledger.settle(record.reference, [Settled(record.cancelled())])
        return self.look_up(task_id)

    @property
    def mark(self) -> str:
        """The mark in the ids of `waited_offer`, as `tasks.ids.Ids.mark_of` returns it."""
        return self._ids.mark

    def offer(self, prediction: Prediction, idempotency: Idempotency | None = None) -> Offer:
        """A prediction under a new id, ready to be accepted."""
        return self._offer(self._ids.new(), prediction, idempotency)

    def waited_offer(self, prediction: Prediction, idempotency: Idempotency | None) -> Offer:
        """`offer` with a marked id: its outcome is published to this process, where the caller
        waits.
        """
        return self._offer(self._ids.new_marked(), prediction, idempotency)

    def _offer(
        self, task_id: str, prediction: Prediction, idempotency: Idempotency | None
    ) -> Offer:
        record = Record.queued(task_id, prediction)
        queue, rows, hook = prediction.queue, len(prediction.features), prediction.webhook
        message = envelope(PREDICT_TASK, record.task_id, queue, prediction)
        key = idempotency and idempotency.of(prediction.tenant)
        if hook is not None and prediction.sending is not None:
            hook = replace(hook, traceparent=prediction.sending.traceparent)
        caller = prediction.throttle, hook, prediction.flow, prediction.priority
        own = prediction.reuse, *caller, prediction.sending
        return Offer(queue, record, message, rows, key, *own)

    def note_uncertain(self, task_id: str) -> None:
        """Remember an id that may not have been accepted: without a record it is not lost."""
        self._uncertain.append(task_id)

    def found(self, task_id: str, record: Record | None) -> Record:
        """The record, if there is one; raises as `look_up` what its absence means."""
        if record is not None:
            return record
        raise self.missing(task_id)

    def missing(self, task_id: str) -> PredictqError:
        """The error that `look_up` raises for an id without a record."""
        # Redis has forgotten it, or never had it. The id alone tells when we gave it out, if ever.
        created_at = self._ids.created_at(task_id)
        if created_at is None:
            return PredictionNotFound()
        if created_at + self._settings.result_ttl < time.time():
            return ResultGone()
        # Only this process knows that the submission failed; another process answers `Lost`.
        if task_id in self._uncertain:
            return PredictionNotFound("the submission failed, and the prediction was not accepted")
        return Lost()


def _known(offer: Offer, accepted: Accepted) -> Record | None:
    """The record of what was accepted; None if it has to be looked up."""
    if isinstance(accepted, Reused):
        return read_record(accepted.task_id, accepted.text or None)
    return offer.record if accepted == offer.record.task_id else None


def _id_of(accepted: Accepted) -> str:
    return accepted.task_id if isinstance(accepted, Reused) else accepted


def is_reachable(client: redis.Redis) -> bool:
    """Whether Redis answers."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
