"""Sends a canary through this worker's queue periodically and notes when it came through."""

import logging
from typing import Any

import redis
from celery import bootsteps

from tasks.ledger import keys
from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.queue.canaries import CANARY_MODEL, Sighting, note_canary
from tasks.messages import Prediction, envelope
from tasks.prediction import predict
from tasks.record import Record
from telemetry.errors import PredictqError
from workers.services import WorkerServices

log = logging.getLogger(__name__)
MAX_CANARY_SECONDS = 600.0
"""Seconds after which an unanswered canary is replaced; a purged queue, for one, has lost it."""


class Canaries(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """Consumer step that sends the canary and notes its arrival; workers of a queue share one."""

    requires = ("celery.worker.consumer:Tasks",)

    def __init__(self, consumer: Any, *, services: WorkerServices, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._ledger, self._interval = services.ledger, services.settings.canary_interval
        self._entry: Any = None

    def start(self, consumer: Any) -> None:
        """Tend the canary of each queue at every interval."""
        queues = [*consumer.app.amqp.queues.consume_from]
        self._entry = consumer.timer.call_repeatedly(self._interval, self._tend, (queues,))

    def stop(self, consumer: Any) -> None:
        """Stop sending canaries."""
        if self._entry is not None:
            self._entry.cancel()

    def _tend(self, queues: list[str]) -> None:
        for queue in queues:
            try:
                tend(self._ledger, queue, self._interval)
            except (redis.RedisError, PredictqError) as error:  # a full queue, for one
                log.warning(
                    "the canary of a queue could not be sent: %s", error, extra={"queue": queue}
                )


def tend(ledger: Ledger, queue: str, interval: float) -> None:
    """Note the canary of a queue if it came through, and send another if one is due."""
    task_id = f"canary-{queue}"
    record = ledger.record(task_id)
    waited = ledger.now() - record.created_at if record else interval
    if record and record.state == "succeeded":
        seconds = max(ledger.settled_at(task_id) - record.created_at, 0.0)
        note_canary(ledger.client, queue, Sighting(record.created_at, round(seconds, 6)))
    elif record and not record.is_terminal and waited < MAX_CANARY_SECONDS:
        return
    if waited >= interval * 0.9:  # otherwise another worker has sent the next one since
        # accept.lua pushes nothing for an id that has a record. Two workers that come here at once
        # may push the canary twice, which does no harm: its first outcome stands.
        ledger.client.delete(keys.record(task_id))
        send_canary(ledger, queue, task_id)


def send_canary(ledger: Ledger, queue: str, task_id: str) -> None:
    """Accept a canary on a queue like any prediction, but with no rows."""
    model, _, version = CANARY_MODEL.partition(":")
    canary = Prediction(
        model=model,
        version=int(version),
        alias=None,
        method="predict",
        features=[],
        created_at=ledger.now(),
    )
    record, message = Record.queued(task_id, canary), envelope(predict.name, task_id, queue, canary)
    ledger.accept(Offer(queue, record, message, rows=0))
