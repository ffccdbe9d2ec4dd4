"""Fixtures: the client against a fake HTTP server, with a fake clock."""

import asyncio
import socket

import pytest

from predictq import AsyncClient, Client
from predictq.http.retries import Clock
from tests.unit.fake_server import stand_in


class FakeClock(Clock):
    """Advances on sleep, and a little on every call of `now`."""

    def __init__(self):
        self.seconds = 1000.0
        self.slept = []

    def now(self):
        self.seconds += 1e-5
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds

    async def sleep_async(self, seconds):
        self.sleep(seconds)
        await asyncio.sleep(0)  # lets other tasks run


@pytest.fixture
def server():
    with stand_in() as stand:
        yield stand


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def client(server, clock):
    with Client(server.url, clock=clock) as client:
        yield client


@pytest.fixture
def run(server, clock):
    """Run a coroutine function with an `AsyncClient` of the server; returns what it returns."""

    def running(call):
        async def session():
            async with AsyncClient(server.url, clock=clock) as client:
                return await call(client)

        return asyncio.run(session())

    return running


@pytest.fixture
def nowhere():
    """An address where nothing listens: the port is bound but not listening."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


async def listed(items):
    """The items of an asynchronous iterator."""
    return [item async for item in items]
