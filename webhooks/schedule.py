"""What becomes of an event after an attempt: delivered, sent again later, or given up."""

from http import HTTPStatus
from typing import NamedTuple

from tasks.webhooks.outbox import Became
from webhooks.guard import TargetUnreachable
from webhooks.sending import ReceiverAnswer

MINUTE, HOUR = 60, 3600
RETRY_WAITS = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
"""Seconds before the second attempt and those after it; then the event is given up."""


class Next(NamedTuple):
    """What to do with an event."""

    became: Became
    wait: float = 0
    """Seconds until the next attempt."""
    reason: str = ""


def after(result: ReceiverAnswer | TargetUnreachable, attempts: int) -> Next:
    """What to do after an attempt; ``attempts``: those before it.

    `Retry-After` only lengthens a wait, to the longest one at most. 410 says that the receiver
    wants no more.
    """
    if isinstance(result, ReceiverAnswer) and HTTPStatus(200) <= result.status < HTTPStatus(300):
        return Next("delivered")
    reason, asked = str(result), 0
    if isinstance(result, ReceiverAnswer):
        reason, asked = _told(result), result.retry_after or 0
    if attempts >= len(RETRY_WAITS) or (
        isinstance(result, ReceiverAnswer) and result.status == HTTPStatus.GONE
    ):
        return Next("given_up", reason=reason)
    return Next("again", max(RETRY_WAITS[attempts], min(asked, RETRY_WAITS[-1])), reason)


def _told(answer: ReceiverAnswer) -> str:
    begins = answer.begins.strip()
    return f"it answered {answer.status}" + (f": {begins}" if begins else "")
