"""Submission of predictions: the call of accept.lua, and the meaning of its answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis

from tasks.callers.caller import LeftOfLimit, Throttle
from tasks.ledger import keys
from tasks.ledger.pauses.pauses import paused_error
from tasks.ledger.predictions.no_capacity import queue_full, quota_reached, rate_limited
from tasks.ledger.predictions.round_trips import Unsent
from tasks.ledger.queue.bounds import Bounds
from tasks.ledger.script_constants import MAX_WEBHOOKS
from tasks.messages import Idempotency, Priority, Reuse
from tasks.record import Record
from tasks.targets.webhook import Target
from tasks.wire import encode_finite
from telemetry.errors import (
    IdempotencyConflict,
    PredictqError,
    QueueFull,
    SubmissionUncertain,
)
from telemetry.tracing.tracer import Sending

CERTAIN = (Unsent, redis.BusyLoadingError)
"""Errors after which Redis certainly did not run the script."""

PRIORITY_LISTS: dict[Priority, str] = {"high": "/high", "normal": "", "low": "/low"}
"""As flows.lua has them."""


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
    flow: str = ""
    """The flow of its caller; empty for the one that all without a key share."""
    priority: Priority = "normal"
    sending: Sending | None = None


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
    quotas = bounds.quotas.text(offers[0].record.tenant or None)
    of_caller = limits, quotas, offers[0].flow
    arguments: list[Any] = [len(offers), bounds.rows, bounds.bytes, result_ttl, *of_caller]
    for offer in offers:
        fingerprint = offer.idempotency.fingerprint if offer.idempotency else b""
        record, task_id = offer.record.open_text, offer.record.task_id
        webhook = encode_finite(offer.webhook) if offer.webhook else b""
        own = offer.rows, fingerprint, webhook, PRIORITY_LISTS[offer.priority]
        arguments += (record, offer.message, task_id, *own)
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
        case [b"joined", *_]:
            return offer.record.task_id
        case [b"limited", which, seconds] if offer.throttle:
            return rate_limited(offer.throttle.limits, which.decode(), seconds)
        case [b"quota", which, *seconds]:
            return quota_reached(which.decode(), bounds.quotas, *seconds)
        case [b"full", *seconds]:
            return queue_full(offer.queue, bounds, *seconds)
        case [b"webhooks"]:
            return QueueFull(f"{MAX_WEBHOOKS} webhooks are open, which is the maximum")
        case [b"paused", seconds, pause]:
            return paused_error(offer.record.reference, seconds, pause)
        case _:  # `conflict`, the only answer that is left
            return IdempotencyConflict()


def uncertain(task_id: str) -> SubmissionUncertain:
    """The error of a submission that was sent and got no answer."""
    return SubmissionUncertain(
        f"Redis did not answer: {task_id} may or may not have been accepted; look it up, "
        "or submit again with the same Idempotency-Key",
        id=task_id,
    )
