"""What becomes of messages whose process died: alone, or by another's limit."""

import logging
from typing import Any

import redis
from msgspec.structs import replace

from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.settlement import Settled
from tasks.ledger.queue.reservations import Reservations
from tasks.record import Record
from tasks.time_limits import MAX_ATTEMPTS
from telemetry.errors import WorkerLost
from telemetry.logs import of_version
from workers.microbatch.message import Message
from workers.pool.protocol import Disposition

log = logging.getLogger(__name__)


def judge(ledger: Ledger, message: Message) -> Disposition | None:
    """It is tried again later, or fails for good; None where Redis is away and it stays.

    The worker itself gives it up: perhaps no process lives long enough to do it. A step of a job
    stays, too: the process that takes it up finds out which rows are to blame.
    """
    if message.lone:
        return None
    try:
        (answer,) = ledger.postpone([(message.tag, message.request.id)], suspect=True)
        if answer == "last":
            outcome = _given_up(ledger, message)
            ledger.settle(outcome.reference, [Settled(outcome, message.tag, MAX_ATTEMPTS)])
    except redis.RedisError as error:
        fields = _fields(message.request.id, message.reference)
        log.warning("Redis is away, so this is tried again at once: %s", error, extra=fields)
        return None
    verdicts: dict[str, Disposition] = {
        "postponed": "retrying",
        "last": "failed",
        "gone": "dropped",
    }
    return verdicts[answer]


def spare(reservations: Reservations, messages: list[Message]) -> bool:
    """Give back what another's limit interrupted, and charge no attempt; whether Redis heard it."""
    try:
        reservations.withdraw([(message.tag, message.request.id) for message in messages])
    except redis.RedisError as error:
        log.warning("Redis is away, so %s predictions run alone now: %s", len(messages), error)
        return False
    return True


def _given_up(ledger: Ledger, message: Message) -> Record:
    task_id = message.request.id
    record = ledger.record(task_id) or _unknown(task_id, message.reference)
    fields = _fields(task_id, message.reference) | {"attempt": MAX_ATTEMPTS}
    log.error("a prediction is given up: its process died in every attempt", extra=fields)
    error = WorkerLost(f"computing this ended its process {MAX_ATTEMPTS} times")
    return record.failed(error, MAX_ATTEMPTS)


def _fields(task_id: str, reference: str) -> dict[str, Any]:
    return {"id": task_id} | (of_version(reference) if reference else {})


def _unknown(task_id: str, reference: str) -> Record:
    """The record of one that a stock producer sent."""
    record = Record.read(task_id, None)
    model, _, version = reference.partition(":")
    return replace(record, model=model, version=int(version)) if model else record
