"""A call as a generator of the steps that wait, so that both clients share one text of it.

`Connection` and `AsyncConnection` carry the steps out: one blocks, the other awaits.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx2

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Send a request; the flow continues with its response, or with the error of httpx."""

    request: httpx2.Request


@dataclass(frozen=True)
class Pause:
    """Continue after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Item(Generic[T]):
    """A value for the caller; the flow continues when the next one is wanted."""

    value: T


@dataclass(frozen=True)
class Done(Generic[T]):
    """The flow has returned this value."""

    value: T


Step = Send | Pause
Flow = Generator[Step, httpx2.Response | None, T]
"""A call that returns a ``T``."""
Stream = Generator[Step | Item[T], httpx2.Response | None, None]
"""A call that yields values of type ``T``."""


def sent(request: httpx2.Request) -> Flow[httpx2.Response]:
    """Send a request and return its response."""
    response = yield Send(request)
    assert response is not None  # noqa: S101 - `Send` is answered with a response
    return response


def resume(
    flow: Generator[S, httpx2.Response | None, T], answer: httpx2.Response | None = None
) -> S | Done[T]:
    """Start the flow, or continue it with the answer to its step; returns the next step."""
    return _until_step(lambda: flow.send(answer))


def fail(flow: Generator[S, httpx2.Response | None, T], error: httpx2.RequestError) -> S | Done[T]:
    """Continue the flow with the error of its step; returns the next step."""
    return _until_step(lambda: flow.throw(error))


def _until_step(go: Callable[[], S]) -> S | Done[T]:
    try:
        return go()
    except StopIteration as end:
        return Done(end.value)
