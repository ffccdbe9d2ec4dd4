"""Retries requests until a deadline, with exponential backoff and full jitter."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2

from predictq.errors import Unreachable
from predictq.http.flows import Flow, Pause

FIRST_BACKOFF = 0.1
"""Greatest pause in seconds before the second attempt; doubles with each attempt."""
MAX_BACKOFF = 5.0
BUSY = (429, 503)
PROXIES = (429, 502, 503, 504)
"""Statuses that proxies answer while the server is away."""


class Clock:
    """The client's time source, in seconds; tests replace it."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True)
class Deadline:
    """The time until which a call is retried."""

    clock: Clock
    at: float
    met_by: float
    """The deadline if there never was a connection to the server; at most ``at``."""

    @classmethod
    def after(cls, seconds: float, clock: Clock, unreached: float = math.inf) -> "Deadline":
        """A deadline in ``seconds``; in ``unreached``, if sooner, for a server never reached."""
        now = clock.now()
        return cls(clock, now + seconds, now + min(seconds, unreached))

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self.at - self.clock.now())

    def if_never_reached(self) -> "Deadline":
        """The deadline if there never was a connection to the server."""
        return Deadline(self.clock, self.met_by, self.met_by)

    def later(self, other: "Deadline") -> "Deadline":
        """The later of two deadlines."""
        return Deadline(self.clock, max(self.at, other.at), max(self.met_by, other.met_by))


def send_with_retries(
    send: Callable[[], Flow[httpx2.Response]], *, repeatable: bool, until: Callable[[], Deadline]
) -> Flow[httpx2.Response]:
    """Send until there is a final response; returns it, or the last refusal.

    ``repeatable``: whether the request may reach the server twice. If not, it is retried only when
    nothing of it was sent. The last attempt is made at the deadline, or earlier if the server's
    ``Retry-After`` is later than that. Raises `Unreachable` if there is no response.
    """
    for backoff in backoffs():
        answer = yield from _attempt(send)
        deadline = until()
        left, asked = deadline.left(), retry_after(answer) or 0.0
        if not _worth_repeating(answer, repeatable) or not left or asked > left:
            break
        yield Pause(min(max(backoff, asked), left))
    if isinstance(answer, Unreachable):
        raise answer
    return answer


def retry_after(answer: httpx2.Response | Unreachable) -> float | None:
    """Seconds of the `Retry-After` header; None without one."""
    header = "" if isinstance(answer, Unreachable) else answer.headers.get("Retry-After", "")
    return float(header) if header.isdecimal() else None


def backoffs() -> Iterator[float]:
    """Yield seconds to wait before each further attempt, without end."""
    # Full jitter, so that clients which failed together do not retry together.
    limit = FIRST_BACKOFF
    while True:
        yield random.uniform(0, limit)  # noqa: S311 - jitter, no secret
        limit = min(2 * limit, MAX_BACKOFF)


def _attempt(
    send: Callable[[], Flow[httpx2.Response]],
) -> Flow[httpx2.Response | Unreachable]:
    try:
        return (yield from send())
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
    """Whether a problem is a prediction's outcome (it has urls), which no retry changes."""
    try:
        return "urls" in answer.json()
    except (ValueError, TypeError):
        return False
