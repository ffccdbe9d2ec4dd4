"""The client against a real server that acts out the contract; time is the test's own."""

import socket

import pytest

from predictq import Client
from predictq.http.retries import Clock
from tests.unit.fake_server import stand_in


class OwnTime(Clock):
    """Goes on by sleeping, and a little whenever it is looked at."""

    def __init__(self):
        self.seconds = 1000.0
        self.slept = []

    def now(self):
        self.seconds += 1e-5
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def server():
    with stand_in() as stand:
        yield stand


@pytest.fixture
def clock():
    return OwnTime()


@pytest.fixture
def client(server, clock):
    with Client(server.url, clock=clock) as client:
        yield client


@pytest.fixture
def nowhere():
    """An address where nobody listens: the port is taken, but not open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
