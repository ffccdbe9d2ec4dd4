"""Submission of one prediction: the call of accept.lua, and the meaning of its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import paused_error
from tasks.ledger.predictions.pipeline import Unsent
from tasks.ledger.queue.bounds import Bounds
from tasks.messages import Idempotency
from tasks.record import Record
from tasks.wire import encode_finite
from telemetry.errors import IdempotencyConflict, QueueFull, SubmissionUncertain

UNKNOWN_RETRY_AFTER = 10
"""Seconds of ``Retry-After`` if the drain rate of the queue is unknown."""
MAX_RETRY_AFTER = 3600
CERTAIN = (Unsent, redis.BusyLoadingError)
"""Errors after which Redis certainly did not run the script."""


class Offer(msgspec.Struct, frozen=True):
    """A prediction to be accepted on a queue."""

    queue: str
    record: Record
    message: bytes
    rows: int
    idempotency: Idempotency | None = None


def accept_call(offer: Offer, bounds: Bounds, result_ttl: int) -> tuple[list[str], list[Any]]:
    """Keys and arguments of accept.lua."""
    queue, task_id = offer.queue, offer.record.task_id
    script_keys = [queue, keys.QUEUED + queue, keys.record(task_id)]
    record = encode_finite(offer.record)
    arguments: list[Any] = [record, offer.message, task_id, offer.rows, bounds.rows, bounds.bytes]
    if offer.idempotency:
        script_keys.append(keys.IDEMPOTENCY + offer.idempotency.key)
        arguments += [offer.idempotency.fingerprint, result_ttl]
    return script_keys, arguments


def read_accept_answer(answer: bytes | list[Any], offer: Offer, bounds: Bounds) -> str:
    """The accepted id, from the script's answer; raises the error of a refusal."""
    match answer:
        case bytes():
            return answer.decode()
        case [b"full", *seconds]:
            most = f"{bounds.rows} rows or {bounds.bytes} bytes"
            detail = f"the queue {offer.queue!r} is full: {most}"
            raise QueueFull(detail, retry_after=_retry_after(*seconds))
        case [b"paused", seconds, pause]:
            raise paused_error(offer.record.reference, seconds, pause)
        case _:
            raise IdempotencyConflict


@contextmanager
def uncertain_if_sent(offer: Offer) -> Iterator[None]:
    """Raise `SubmissionUncertain`, with the id, if the connection fails after sending."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error, CERTAIN):
            raise
        task_id = offer.record.task_id
        raise SubmissionUncertain(
            f"Redis did not answer: {task_id} may or may not have been accepted; look it up, "
            "or submit again with the same Idempotency-Key",
            id=task_id,
        ) from error


def _retry_after(seconds: int | None = None) -> int:
    """What ``Retry-After`` says.

    ``seconds``: until the queue has capacity, by its drain rate; None if that is unknown.
    """
    return UNKNOWN_RETRY_AFTER if seconds is None else min(max(seconds, 1), MAX_RETRY_AFTER)
