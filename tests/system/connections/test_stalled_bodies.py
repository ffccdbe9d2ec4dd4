"""Clients that stop in the middle of a body do not block other requests."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.support.stack import LiveStack

HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GOOD = {"model": "iris", "features": [5.1, 3.5, 1.4, 0.2]}


BATCHES = ["/predict/batch", "/predict/batch/validate", "/predict/batch/x/resume"]


@contextmanager
def stalling(stack: LiveStack, path: str) -> Iterator[None]:
    """Keep many connections open whose bodies have begun and not ended."""
    address = urlsplit(stack.url)
    with ExitStack() as stalled:
        for length in [
            b"Content-Length: 500\r\n\r\n{",
            b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        ]:
            for _ in range(40):
                connection = socket.create_connection((address.hostname, address.port))
                stalled.enter_context(connection)
                connection.sendall(HEAD % path.encode() + length)
        yield


@pytest.mark.parametrize("path", BATCHES)
def test_batch_jobs_are_answered_while_clients_stall(stack: LiveStack, path: str) -> None:
    with stalling(stack, path):
        assert stack.http.get("/predict/batch", timeout=10).status_code == 200
        assert stack.http.post("/predict/batch", json={}, timeout=10).status_code == 422


@pytest.mark.parametrize("path", ["/predict", "/predict/async", "/dead-letters/replay"])
def test_submissions_are_answered_while_clients_stall(stack: LiveStack, path: str) -> None:
    with stalling(stack, path):
        for _ in range(40):
            answer = stack.http.post("/predict", json=GOOD, timeout=10)
            assert answer.status_code == 200, answer.text
            assert answer.json()["predictions"] == [0]
