"""Submission of predictions: the call of accept.lua, and the meaning of its answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis

from tasks.callers.caller import LeftOfLimit, Limits, Throttle
from tasks.callers.limit_fields import limit_fields
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import paused_error
from tasks.ledger.predictions.round_trips import Unsent
from tasks.ledger.queue.bounds import Bounds
from tasks.ledger.queue.memory_gauge import CLOSED, HIGH
from tasks.ledger.script_constants import MAX_WEBHOOKS
from tasks.messages import Idempotency, Reuse
from tasks.record import Record
from tasks.targets.webhook import Target
from tasks.wire import encode_finite
from telemetry.errors import (
    IdempotencyConflict,
    PredictqError,
    QueueFull,
    RateLimited,
    SubmissionUncertain,
)

UNKNOWN_RETRY_AFTER = 10
"""Seconds of ``Retry-After`` if the drain rate of the queue is unknown."""
MAX_RETRY_AFTER = 3600
"""Most seconds of ``Retry-After``: a drain rate of this moment tells nothing of later hours."""
CERTAIN = (Unsent, redis.BusyLoadingError)
"""Errors after which Redis certainly did not run the script."""


class Offer(msgspec.Struct, frozen=True):
    """A prediction to be accepted on a queue."""

    queue: str
    record: Record
    message: bytes
    rows: int
    idempotency: Idempotency | None = None
    reuse: Reuse | None = None
    throttle: Throttle | None = None
    webhook: Target | None = None


class Reused(msgspec.Struct, frozen=True):
    """A prediction that had its outcome when it was accepted, since another one had the answer."""

    task_id: str
    text: bytes
    """Its record; empty if that is long, and has to be looked up."""


Accepted = str | Reused
"""The id that was accepted, perhaps an earlier one; or what was answered at once."""


def accept_call(
    offers: Sequence[Offer], bounds: Bounds, result_ttl: int
) -> tuple[list[str], list[Any]]:
    """Keys and arguments of accept.lua. Offers for one queue, all with idempotency keys or none."""
    queue, keyed = offers[0].queue, [offer.idempotency for offer in offers if offer.idempotency]
    # All or none, as the script finds the keys by their positions.
    script_keys = [queue, keys.QUEUED + queue]
    script_keys += [keys.record(offer.record.task_id) for offer in offers]
    script_keys += [keys.IDEMPOTENCY + given.key for given in keyed]
    # All are of one caller, and so of one key.
    limits = offers[0].throttle.text if offers[0].throttle else ""
    arguments: list[Any] = [len(offers), bounds.rows, bounds.bytes, result_ttl, limits]
    for offer in offers:
        fingerprint = offer.idempotency.fingerprint if offer.idempotency else b""
        record, task_id = offer.record.open_text, offer.record.task_id
        webhook = encode_finite(offer.webhook) if offer.webhook else b""
        arguments += (record, offer.message, task_id, offer.rows, fingerprint, webhook)
    # The time is passed as text, for the outcome of an answer that is reused: Lua in Redis formats
    # no dates.
    for index, offer in enumerate(offers, 1):
        if given := offer.reuse:
            arguments += (index, given.key, given.seconds, datetime.now(UTC).isoformat())
    return script_keys, arguments


def note_limits(answers: Sequence[Any], offers: Sequence[Offer]) -> None:
    """Note what is left of the limits of the key, which the script says behind all answers."""
    throttle = offers[0].throttle
    if throttle and len(answers) > len(offers):
        throttle.use.left = tuple(
            LeftOfLimit(kind.decode(), amount, seconds)
            for kind, amount, seconds in answers[len(offers)]
        )


def read_accept_answer(
    answer: bytes | list[Any], offer: Offer, bounds: Bounds
) -> Accepted | PredictqError:
    """What was accepted, or the error of a refusal, from the script's answer to one offer."""
    match answer:
        case bytes():
            return answer.decode()
        case [b"reused", outcome]:
            return Reused(offer.record.task_id, outcome)
        case [b"limited", which, seconds] if offer.throttle:
            return rate_limited(offer.throttle.limits, which.decode(), seconds)
        case [b"full", *seconds]:
            return QueueFull(_full(offer, bounds), retry_after=_retry_after(*seconds))
        case [b"webhooks"]:
            return QueueFull(f"{MAX_WEBHOOKS} webhooks are open, which is the maximum")
        case [b"paused", seconds, pause]:
            return paused_error(offer.record.reference, seconds, pause)
        case _:  # `conflict`, the only answer that is left
            return IdempotencyConflict()


def rate_limited(limits: Limits, which: str, seconds: int) -> RateLimited:
    """The refusal of a prediction beyond a limit; -1 seconds: it never fits."""
    rate = limits.rows if which == "rows" else limits.rate
    assert rate is not None  # noqa: S101 - only a limit that there is refuses
    policy = limit_fields(limits, [LeftOfLimit(which, 0, max(seconds, 0))])
    if seconds < 0:
        return RateLimited(
            f"this prediction has more rows than the limit of the key, {rate}: send fewer rows",
            headers=policy,
        )
    return RateLimited(
        f"the limit of the key is {rate} {which}: try again in {seconds} s",
        retry_after=max(seconds, 1),
        headers=policy,
    )


def _full(offer: Offer, bounds: Bounds) -> str:
    if bounds == CLOSED:
        return (
            f"Redis uses more than {HIGH:.0%} of its memory; the rest is for the outcomes of "
            "accepted predictions"
        )
    return f"the queue {offer.queue!r} is full: {bounds.rows} rows or {bounds.bytes} bytes"


def uncertain(task_id: str) -> SubmissionUncertain:
    """The error of a submission that was sent and got no answer."""
    return SubmissionUncertain(
        f"Redis did not answer: {task_id} may or may not have been accepted; look it up, "
        "or submit again with the same Idempotency-Key",
        id=task_id,
    )


@contextmanager
def uncertain_if_sent(offer: Offer) -> Iterator[None]:
    """Raise `SubmissionUncertain`, with the id, if the connection fails after sending."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        if isinstance(error, CERTAIN):
            raise
        raise uncertain(offer.record.task_id) from error


def _retry_after(seconds: int | None = None) -> int:
    """What ``Retry-After`` says.

    ``seconds``: until the queue has capacity, by its drain rate; None if that is unknown.
    """
    return UNKNOWN_RETRY_AFTER if seconds is None else min(max(seconds, 1), MAX_RETRY_AFTER)
