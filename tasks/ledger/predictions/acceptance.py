"""A prediction that is offered to a queue, and what Redis's answer to it means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import msgspec
import redis

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import refusal
from tasks.ledger.predictions.pipeline import Unsent
from tasks.ledger.queue.bounds import Bounds
from tasks.messages import Idempotency
from tasks.record import Record
from tasks.wire import encode_finite
from telemetry.errors import IdempotencyConflict, QueueFull, SubmissionUncertain

UNKNOWN_RETRY = 10
"""Seconds after which to submit again where nothing is known of the workers' pace."""
LONGEST_RETRY = 3600
CERTAIN = (Unsent, redis.BusyLoadingError)
"""Errors after which Redis has certainly not done what it was asked."""


class Offer(msgspec.Struct, frozen=True):
    """A prediction for a queue."""

    queue: str
    record: Record
    message: bytes
    rows: int
    idempotency: Idempotency | None = None


def asking(offer: Offer, bounds: Bounds, result_ttl: int) -> tuple[list[str], list[Any]]:
    """Keys and arguments of the script that accepts."""
    queue, task_id = offer.queue, offer.record.task_id
    script_keys = [queue, keys.QUEUED + queue, keys.record(task_id)]
    record = encode_finite(offer.record)
    arguments: list[Any] = [record, offer.message, task_id, offer.rows, bounds.rows, bounds.bytes]
    if offer.idempotency:
        script_keys.append(keys.IDEMPOTENCY + offer.idempotency.key)
        arguments += [offer.idempotency.fingerprint, result_ttl]
    return script_keys, arguments


def understood(answer: Any, offer: Offer, bounds: Bounds) -> str:
    """The id that holds, from what the script said; raises what it refused the offer for."""
    if answer.startswith(b"full"):
        detail = f"the queue {offer.queue!r} is full: {bounds.rows} rows or {bounds.bytes} bytes"
        raise QueueFull(detail, retry_after=_retry_after(answer))
    if answer == b"conflict":
        raise IdempotencyConflict
    if answer.startswith(b"paused "):
        raise refusal(offer.record.reference, answer)
    return cast("bytes", answer).decode()


@contextmanager
def doubting(offer: Offer) -> Iterator[None]:
    """Raise `SubmissionUncertain`, with the id, where Redis falls silent after it was asked."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error, CERTAIN):
            raise
        task_id = offer.record.task_id
        raise SubmissionUncertain(
            f"the broker fell silent: {task_id} may have been accepted or not; look it up, "
            "or submit again with the same Idempotency-Key",
            id=task_id,
        ) from error


def _retry_after(refusal: bytes) -> int:
    """Seconds until there is room, by the workers' pace."""
    _, _, seconds = refusal.partition(b" ")
    return min(max(int(seconds), 1), LONGEST_RETRY) if seconds else UNKNOWN_RETRY
