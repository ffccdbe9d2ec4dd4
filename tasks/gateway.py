"""The front end's way to the workers: submit, look up, wait, cancel."""

import time
from collections import deque

import redis

from tasks.ids import Ids
from tasks.jobs.messages import BULK
from tasks.ledger import keys
from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.predictions.settlement import Settled
from tasks.ledger.queue.canaries import CANARY_MODEL
from tasks.ledger.watcher import Watcher
from tasks.messages import Idempotency, Prediction, envelope
from tasks.prediction import predict
from tasks.queue_estimate import QueueEstimates
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import Forbidden, Lost, PredictionNotFound, ResultGone, SubmissionUncertain

QUEUE = "predict"
QUEUES = (QUEUE, BULK)
WAIT_RECHECK_SECONDS = 1.0
"""Seconds after which one who waits looks up the record, should a wake-up have been missed."""


class Gateway:
    """Everything the front end asks of the queue. Raises `redis.RedisError` without Redis."""

    def __init__(self, ledger: Ledger, watcher: Watcher, ids: Ids, settings: Settings) -> None:
        self.ledger = ledger
        self._watcher = watcher
        self._ids = ids
        self._settings = settings
        self._doubtful: deque[str] = deque(maxlen=10_000)
        """Ids of submissions that may not have been accepted."""
        self.outlooks = QueueEstimates(ledger.client, QUEUE)
        self._patient = True

    def submit(self, prediction: Prediction, idempotency: Idempotency | None = None) -> Record:
        """Put a prediction on the queue; once this returns it is safe.

        Where the idempotency key is known this is the earlier prediction, as it stands now. Raises
        `SubmissionUncertain`, which names the id, where it may be on the queue or not.
        """
        offer = self._offer(prediction, idempotency)
        try:
            accepted = self.ledger.accept(offer)
        except SubmissionUncertain:
            self._doubtful.append(offer.record.task_id)
            raise
        return offer.record if accepted == offer.record.task_id else self.look_up(accepted)

    async def submit_soon(self, prediction: Prediction) -> Record:
        """The same on an event loop."""
        offer = self._offer(prediction)
        try:
            await self.ledger.accept_soon(offer)
        except SubmissionUncertain:
            self._doubtful.append(offer.record.task_id)
            raise
        return offer.record

    def look_up(self, task_id: str) -> Record:
        """The record of an id; says why where there is none (see `Ids`).

        One that has waited for longer than it may ends here, even where no worker lives.
        """
        record = self.ledger.record(task_id)
        if record is not None and record.is_overdue:
            self.ledger.expire(record)
            record = self.ledger.record(task_id)
        return self._found(task_id, record)

    async def look_up_soon(self, task_id: str) -> Record:
        """The same on an event loop; raises `Long` where it is better read in a thread."""
        record = await self.ledger.record_soon(task_id)
        if record is not None and record.is_overdue:
            await self.ledger.expire_soon(record)
            record = await self.ledger.record_soon(task_id)
        return self._found(task_id, record)

    def wait(self, task_id: str, seconds: float) -> Record:
        """The record once it is terminal, or as it is after so many seconds."""
        deadline = time.monotonic() + seconds
        with self._watcher.watching(keys.record(task_id)) as published:
            record = self.look_up(task_id)
            while self._patient and not record.is_terminal and time.monotonic() < deadline:
                published.wait(min(deadline - time.monotonic(), WAIT_RECHECK_SECONDS))
                record = self.look_up(task_id)
        return record

    def hurry(self) -> None:
        """From now on nobody waits for longer than a look: this process is about to end."""
        self._patient = False

    def cancel(self, task_id: str) -> Record:
        """Settle as cancelled what has no outcome; gives the outcome that stands.

        Raises `Forbidden` where it is a canary, whose id anyone can guess.
        """
        record = self.look_up(task_id)
        if record.reference == CANARY_MODEL:
            raise Forbidden("a canary is the workers' own, and ends by itself")
        if not record.is_terminal:
            self.ledger.settle(record.reference, [Settled(record.cancelled())])
        return self.look_up(task_id)

    def _offer(self, prediction: Prediction, idempotency: Idempotency | None = None) -> Offer:
        record = Record.queued(self._ids.new(), prediction)
        message = envelope(predict.name, record.task_id, QUEUE, prediction)
        return Offer(QUEUE, record, message, len(prediction.features), idempotency)

    def _found(self, task_id: str, record: Record | None) -> Record:
        if record is not None:
            return record
        created_at = self._ids.created_at(task_id)
        if created_at is None:
            raise PredictionNotFound
        if created_at + self._settings.result_ttl < time.time():
            raise ResultGone
        if task_id in self._doubtful:
            raise PredictionNotFound("its submission failed, and it was not accepted")
        raise Lost


def is_reachable(client: redis.Redis) -> bool:
    """Whether Redis answers."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
