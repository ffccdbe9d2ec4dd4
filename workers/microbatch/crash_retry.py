"""Crash retry: decides about messages whose pool process died while it computed them."""

import logging
import time
from collections.abc import Callable
from typing import Any

import redis
from msgspec.structs import replace

from tasks.callers.caller import DEFAULT_TENANT
from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.attempts import Postponement
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.reservations import Reservations
from tasks.record import Record
from tasks.time_limits import MAX_ATTEMPTS
from telemetry.errors import WorkerLost
from telemetry.logs import of_trace, of_version
from telemetry.tracing.span import TraceSpan
from workers.compute.spans import settled_spans
from workers.microbatch.message import Message
from workers.protocol import DispositionKind

log = logging.getLogger(__name__)
NoteSpans = Callable[[list[TraceSpan]], object]


def retry_or_fail(
    ledger: Ledger, message: Message, note_spans: NoteSpans = lambda _: None
) -> DispositionKind | None:
    """Retry a message later or fail it after its last attempt; None keeps it in this worker.

    It stays if Redis cannot be reached, and if it is a step of a job: the process that takes that
    step up again finds out which rows are to blame. The worker settles the final failure itself,
    because a process might die again before it could. ``note_spans``: is given spans to export.
    """
    if message.is_step:
        return None
    try:
        (answer,) = ledger.postpone([(message.tag, message.request.id)], suspect=True)
        if answer == "last":
            # If Redis goes away now, the message runs once more here, and `admission` fails it as
            # its attempts are used up.
            outcome = _given_up(ledger, message)
            settled = Settled(outcome, message.tag, MAX_ATTEMPTS)
            began = time.time()
            ledger.settle(outcome.reference, [settled])
            note_spans(settled_spans(message.traceparent, settled, (began, time.time())))
    except redis.RedisError as error:
        fields = _fields(message.request.id, message.reference)
        log.warning(
            "Redis is unavailable, so the message is retried in this worker: %s",
            error,
            extra=fields,
        )
        return None
    kinds: dict[Postponement, DispositionKind] = {
        "postponed": "retrying",
        "last": "failed",
        "gone": "dropped",
    }
    return kinds[answer]


def return_uncharged(reservations: Reservations, messages: list[Message]) -> bool:
    """Return messages that another one's time limit interrupted, without counting an attempt.

    Returns False if Redis cannot be reached; then the messages are still reserved.
    """
    try:
        tagged_ids = [(message.tag, message.request.id) for message in messages]
        # Alone: in company, short limits could interrupt them without end.
        reservations.withdraw(tagged_ids, alone=True)
    except redis.RedisError as error:
        log.warning(
            "Redis is unavailable, so %s predictions run alone now: %s", len(messages), error
        )
        return False
    return True


def _given_up(ledger: Ledger, message: Message) -> Record:
    task_id = message.request.id
    record = ledger.record(task_id) or _unknown(task_id, message.reference)
    tenant = record.tenant or DEFAULT_TENANT
    fields = _fields(task_id, message.reference) | {"attempt": MAX_ATTEMPTS, "tenant": tenant}
    fields |= of_trace(message.traceparent)
    log.error("a prediction is given up: its process died in every attempt", extra=fields)
    error = WorkerLost(f"the computation ended its process {MAX_ATTEMPTS} times")
    return record.failed(error, MAX_ATTEMPTS)


def _fields(task_id: str, reference: str | None) -> dict[str, Any]:
    return {"id": task_id} | (of_version(reference) if reference else {})


def _unknown(task_id: str, reference: str | None) -> Record:
    """A new record for a message of a stock producer, which writes none at submission."""
    record = Record.read(task_id, None)
    if reference is None:
        return record
    model, _, version = reference.partition(":")
    return replace(record, model=model, version=int(version))
