"""A client that stops in the middle of a body is gone after a while."""

import asyncio
from typing import Any

import pytest
from flask import Flask, request

from api.asgi import in_threads


def test_a_client_that_falls_silent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.asgi.SILENCE", 0.05)
    app = Flask(__name__)

    @app.post("/")
    def read() -> bytes:
        return request.get_data()

    half: list[Any] = [{"type": "http.request", "body": b"half", "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return half.pop() if half else await asyncio.Event().wait()

    async def send(event: Any) -> None:
        sent.append(event)

    headers = [(b"content-length", b"100"), (b"host", b"x")]
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": headers,
        "http_version": "1.1",
    }
    asyncio.run(asyncio.wait_for(in_threads(app, 1)(scope, receive, send), 10))
    assert sent[0]["status"] == 400
