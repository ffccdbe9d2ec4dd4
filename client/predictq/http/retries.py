"""Repeats what is safe to repeat, for as long as a deadline allows."""

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2

from predictq.errors import Unreachable

FIRST_BACKOFF = 0.1
"""Seconds at most before the second attempt; doubles with each one."""
LONGEST_BACKOFF = 5.0
BUSY = (429, 503)
PROXIES = (429, 502, 503, 504)
"""What proxies answer while a server is away."""


class Clock:
    """Time, as the client sees it, in seconds."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class Deadline:
    """A moment after which no more is tried."""

    clock: Clock
    at: float
    met_by: float
    """When a server to which there never was a connection is given up; no later than that."""

    @classmethod
    def after(cls, seconds: float, clock: Clock, unmet: float = math.inf) -> "Deadline":
        """In so many seconds; in ``unmet``, if that is sooner, for a server that is not there."""
        now = clock.now()
        return cls(clock, now + seconds, now + min(seconds, unmet))

    def left(self) -> float:
        """Seconds until then, never below 0."""
        return max(0.0, self.at - self.clock.now())

    def unmet(self) -> "Deadline":
        """The deadline for a server to which there never was a connection."""
        return Deadline(self.clock, self.met_by, self.met_by)

    def later(self, other: "Deadline") -> "Deadline":
        """What is allowed by one of the two."""
        return Deadline(self.clock, max(self.at, other.at), max(self.met_by, other.met_by))


def persist(
    send: Callable[[], httpx2.Response], *, repeatable: bool, until: Callable[[], Deadline]
) -> httpx2.Response:
    """Give the answer, or the last refusal; raise `Unreachable` when there is none.

    ``repeatable``: whether the request may reach the server twice. One that may not is repeated
    only when nothing of it was sent. The last attempt is made when time is up, or before, if the
    server asks for a longer pause.
    """
    for backoff in _backoffs():
        answer = _attempt(send)
        deadline = until()
        left, asked = deadline.left(), retry_after(answer) or 0.0
        if not _worth_repeating(answer, repeatable) or not left or asked > left:
            break
        deadline.clock.sleep(min(max(backoff, asked), left))
    if isinstance(answer, Unreachable):
        raise answer
    return answer


def retry_after(answer: httpx2.Response | Unreachable) -> float | None:
    """Seconds that the server asks for; None when it names none."""
    header = "" if isinstance(answer, Unreachable) else answer.headers.get("Retry-After", "")
    return float(header) if header.isdecimal() else None


def _backoffs() -> Iterator[float]:
    # Full jitter, so that clients which failed together do not come back together.
    limit = FIRST_BACKOFF
    while True:
        yield random.uniform(0, limit)  # noqa: S311 - jitter, no secret
        limit = min(2 * limit, LONGEST_BACKOFF)


def _attempt(send: Callable[[], httpx2.Response]) -> httpx2.Response | Unreachable:
    try:
        return send()
    except Unreachable as failure:
        return failure


def _worth_repeating(answer: httpx2.Response | Unreachable, repeatable: bool) -> bool:
    if isinstance(answer, Unreachable):
        return repeatable or not answer.sent
    if "json" not in answer.headers.get("Content-Type", ""):
        return repeatable and answer.status_code in PROXIES
    is_asked = answer.status_code in BUSY and retry_after(answer) is not None
    return repeatable and is_asked and not _is_outcome(answer)


def _is_outcome(answer: httpx2.Response) -> bool:
    """Whether it tells how a prediction ended: that stands, however often it is asked for."""
    try:
        return "urls" in answer.json()
    except (ValueError, TypeError):
        return False
