"""Clients that stop in the middle of a body, or stop taking an answer, are cut off."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from flask import Flask, Response, request

from api.asgi.protocol import route_by_path, run_in_threads, watch_disconnects


async def silent() -> Any:
    return await asyncio.Event().wait()


async def dripping() -> Any:
    await asyncio.sleep(0.001)
    return {"type": "http.request", "body": b"x", "more_body": True}


@pytest.mark.parametrize("then", [silent, dripping])
def test_silent_or_slow_client_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[], Awaitable[Any]]
) -> None:
    monkeypatch.setattr("api.asgi.body_deadline.MAX_SILENCE", 0.05)
    app = Flask(__name__)

    @app.post("/")
    def read() -> bytes:
        return request.get_data()

    half: list[Any] = [{"type": "http.request", "body": b"half", "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return half.pop() if half else await then()

    async def send(event: Any) -> None:
        sent.append(event)

    scope = asking("POST", (b"content-length", b"100000"))
    asyncio.run(asyncio.wait_for(run_in_threads(app, 1)(scope, receive, send), 10))
    assert sent[0]["status"] == 400


async def frozen() -> None:
    await asyncio.Event().wait()


async def refused() -> None:
    raise RuntimeError("no header may hold that")


@pytest.mark.parametrize("fails", [frozen, refused])
def test_client_that_reads_nothing_is_disconnected(
    monkeypatch: pytest.MonkeyPatch, fails: Callable[[], Awaitable[None]]
) -> None:
    monkeypatch.setattr("api.asgi.protocol.SEND_TIMEOUT", 0.05)
    app, closed = Flask(__name__), threading.Event()
    taken: list[Any] = []

    @app.get("/")
    def stream() -> Response:
        response = Response(itertools.repeat(b"piece"))
        response.call_on_close(closed.set)
        return response

    async def send(event: Any) -> None:
        taken.append(event)
        if len(taken) > 2:
            await fails()

    async def receive() -> Any:
        await asyncio.Event().wait()

    serve = watch_disconnects(run_in_threads(app, 1))
    asyncio.run(asyncio.wait_for(serve(asking("GET"), receive, send), 10))
    assert closed.is_set()
    assert all(
        event.get("more_body", True) for event in taken
    )  # the client must notice that the answer is incomplete


def asking(method: str, *headers: tuple[bytes, bytes]) -> Any:
    """The scope of a request."""
    return {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": b"",
        "headers": [*headers, (b"host", b"x")],
        "http_version": "1.1",
    }


@pytest.mark.parametrize(
    ("path", "application"),
    [("/a/1", "theirs"), ("/b", "theirs"), ("/c/a/1", "others"), ("/", "others")],
)
def test_requests_are_routed_by_the_beginning_of_their_path(path: str, application: str) -> None:
    answered: list[str] = []

    def answers(name: str) -> Any:
        async def answer(scope: Any, receive: Any, send: Any) -> None:
            answered.append(name)

        return answer

    routed = route_by_path(("/a/", "/b"), answers("theirs"), answers("others"))
    nothing: Any = None
    scope: Any = {"type": "http", "path": path}
    asyncio.run(routed(scope, nothing, nothing))
    assert answered == [application]
