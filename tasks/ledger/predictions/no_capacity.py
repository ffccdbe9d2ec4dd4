"""The errors of predictions that a limit, a quota or a full queue refuses."""

from tasks.callers.caller import LeftOfLimit, Limits
from tasks.callers.limit_fields import limit_fields
from tasks.callers.quotas import Quotas
from tasks.ledger.queue.bounds import Bounds
from tasks.ledger.queue.memory_gauge import CLOSED, HIGH
from telemetry.errors import (
    InFlightLimited,
    OutcomeBytesQuota,
    QueuedRowsQuota,
    QueueFull,
    RateLimited,
)

UNKNOWN_RETRY_AFTER = 10
"""Seconds of ``Retry-After`` if the drain rate of the queue is unknown."""
MAX_RETRY_AFTER = 3600
"""Most seconds of ``Retry-After``: a drain rate of this moment tells nothing of later hours."""


def rate_limited(limits: Limits, which: str, seconds: int) -> RateLimited:
    """The refusal of a prediction beyond a limit; -1 seconds: it never fits."""
    if which == "in_flight":
        return InFlightLimited(
            f"{limits.in_flight} predictions of the key have no outcome, which is its limit: try "
            "again once some have one",
            retry_after=seconds,
            headers=limit_fields(limits, [LeftOfLimit(which, 0, seconds)]),
        )
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


def quota_reached(which: str, quotas: Quotas, seconds: int | None = None) -> RateLimited:
    """The refusal by a quota. ``seconds``: until the tenant's oldest outcomes are forgotten."""
    if which == "queued":
        return QueuedRowsQuota(
            f"at most {quotas.queued_rows} rows of a tenant may wait in a queue: try again once "
            "some are computed",
            retry_after=UNKNOWN_RETRY_AFTER,
        )
    return OutcomeBytesQuota(
        f"the outcomes of a tenant may take {quotas.outcome_bytes} bytes: try again once older "
        "ones are forgotten",
        retry_after=max(seconds or 1, 1),
    )


def queue_full(queue: str, bounds: Bounds, seconds: int | None = None) -> QueueFull:
    """The refusal of a full queue. ``seconds``: until it has capacity, if that is known."""
    told = f"the queue {queue!r} is full: {bounds.rows} rows or {bounds.bytes} bytes"
    if bounds == CLOSED:
        told = (
            f"Redis uses more than {HIGH:.0%} of its memory; the rest is for the outcomes of "
            "accepted predictions"
        )
    return QueueFull(told, retry_after=_retry_after(seconds))


def _retry_after(seconds: int | None = None) -> int:
    """What ``Retry-After`` says.

    ``seconds``: until the queue has capacity, by its drain rate; None if that is unknown.
    """
    return UNKNOWN_RETRY_AFTER if seconds is None else min(max(seconds, 1), MAX_RETRY_AFTER)
