"""Repeats what is safe to repeat, for as long as a deadline allows."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2

from predictq.errors import Unreachable

ATTEMPTS = 5
FIRST_BACKOFF = 0.1
"""Seconds at most before the second attempt; doubles with each one."""
UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
BUSY = (429, 503)


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

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> "Deadline":
        return cls(clock, clock.now() + seconds)

    def left(self) -> float:
        """Seconds until then, never below 0."""
        return max(0.0, self.at - self.clock.now())


def persist(
    send: Callable[[], httpx2.Response], *, repeatable: bool, until: Deadline
) -> httpx2.Response:
    """Give the answer, or the last refusal; raise `Unreachable` when there is none.

    ``repeatable``: whether the request may reach the server twice. One that may not is repeated
    only when nothing of it was sent.
    """
    for backoff in _backoffs():
        answer = _attempt(send)
        if not _worth_repeating(answer, repeatable):
            break
        pause = max(backoff, retry_after(answer) or 0.0)
        if pause >= until.left():
            break
        until.clock.sleep(pause)
    else:
        answer = _attempt(send)
    if isinstance(answer, Unreachable):
        raise answer
    return answer


def retry_after(answer: httpx2.Response | Unreachable) -> float | None:
    """Seconds that the server asks for; None when it names none."""
    header = "" if isinstance(answer, Unreachable) else answer.headers.get("Retry-After", "")
    return float(header) if header.isdecimal() else None


def _backoffs() -> Iterator[float]:
    # Full jitter, so that clients which failed together do not come back together.
    for attempt in range(ATTEMPTS - 1):
        yield random.uniform(0, FIRST_BACKOFF * 2**attempt)  # noqa: S311 - jitter, no secret


def _attempt(send: Callable[[], httpx2.Response]) -> httpx2.Response | Unreachable:
    try:
        return send()
    except httpx2.RequestError as error:
        failure = unreachable(error)
        failure.__cause__ = error
        return failure


def unreachable(error: httpx2.RequestError) -> Unreachable:
    """The same error, in words of ours."""
    sent = not isinstance(error, UNSENT)
    # Host and port only: an address may hold a password.
    server = error.request.url.netloc.decode()
    failed = "no answer from" if sent else "cannot reach"
    return Unreachable(f"{failed} {server}: {str(error) or type(error).__name__}", sent)


def _worth_repeating(answer: httpx2.Response | Unreachable, repeatable: bool) -> bool:
    if isinstance(answer, Unreachable):
        return repeatable or not answer.sent
    return repeatable and answer.status_code in BUSY and retry_after(answer) is not None
