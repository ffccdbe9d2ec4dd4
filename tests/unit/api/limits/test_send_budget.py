"""Large answers are bounded while they are sent, and hold no thread."""

import asyncio
from typing import Any

import pytest
from flask import Flask, Response

from api.asgi.protocol import run_in_threads
from api.http import problems
from api.http.downloads import SEND_BYTES
from api.limits import byte_budget
from api.limits.byte_budget import MAX_BYTES_IN_FLIGHT
from api.limits.send_budget import SendBudget
from tests.unit.api.asgi.test_protocol import asking

LARGE = MAX_BYTES_IN_FLIGHT // 2


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application whose answer is half of the budget."""
    monkeypatch.setattr(byte_budget, "WAIT_TIMEOUT", 3600)  # the budget is not waited for
    app, sending = Flask(__name__), SendBudget(1)
    problems.register(app)
    app.get("/")(lambda: sending.budgeted(Response(b"x" * LARGE)))
    return app


class Client:
    """A client that takes the head of an answer, and the rest when told."""

    def __init__(self, serve: Any) -> None:
        self.status, self.sizes = 0, list[int]()
        self.begun, self.reads = asyncio.Event(), asyncio.Event()
        self.served = asyncio.ensure_future(serve(asking("GET"), self.receive, self.send))

    async def receive(self) -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(self, event: Any) -> None:
        self.status = event.get("status", self.status)
        if body := event.get("body"):
            self.begun.set()
            await self.reads.wait()
            self.sizes.append(len(body))

    async def take(self) -> None:
        self.reads.set()
        await self.served


def test_send_budget_refuses_answers_until_others_are_read(app: Flask) -> None:
    async def run() -> None:
        serve = run_in_threads(app, 1)
        slow = [Client(serve) for _ in range(2)]
        for client in slow:
            await client.begun.wait()
        late = Client(serve)
        await late.take()
        assert (late.status, [client.status for client in slow]) == (503, [200, 200])
        for client in slow:
            await client.take()
        after = Client(serve)
        await after.take()
        assert after.status == 200

    asyncio.run(asyncio.wait_for(run(), 30))


def test_abandoned_client_returns_its_capacity(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.asgi.protocol.SEND_TIMEOUT", 0.05)

    async def run() -> None:
        serve = run_in_threads(app, 1)
        for _ in range(3):
            client = Client(serve)
            await client.served
            assert (client.status, client.sizes) == (200, [])

    asyncio.run(asyncio.wait_for(run(), 30))


def test_large_answer_is_sent_in_pieces(app: Flask) -> None:
    async def run() -> None:
        client = Client(run_in_threads(app, 1))
        await client.take()
        assert client.sizes == [SEND_BYTES] * (LARGE // SEND_BYTES)

    asyncio.run(asyncio.wait_for(run(), 30))
