"""Redis is killed between the windows of a bulk request: its caller knows what was accepted."""

import json
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from predictq import Client
from tests.support.models import with_models_of
from tests.support.stack import Json, LiveStack, running

pytestmark = pytest.mark.slow

LINE = b'{"features":[5.1,3.5,1.4,0.2]}\n'
BEFORE, AFTER = 300, 300
"""Lines sent before and after Redis goes away."""


@pytest.fixture(scope="module")
def fragile(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("bulk-fragile"))
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="5") as stack:
        yield stack


@contextmanager
def killed(stack: LiveStack) -> Iterator[None]:
    """Kill Redis inside the context, and restart it with the same data."""
    stack.kill("redis")
    try:
        yield
    finally:
        stack.start("redis")


OUTAGES: Any = [
    pytest.param(killed, id="killed"),
    pytest.param(lambda stack: stack.frozen("redis"), id="frozen"),
]


class LiveRequest:
    """A bulk request whose lines are sent as the test says."""

    def __init__(self, stack: LiveStack, key: str) -> None:
        address = urlsplit(stack.url)
        self._socket = socket.create_connection((address.hostname, address.port), 60)
        self._received = b""
        head = (
            "POST /predict/async?model=iris HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        self._socket.sendall(head.encode())

    def send(self, count: int) -> None:
        self._socket.sendall(b"%x\r\n%s\r\n" % (count * len(LINE), count * LINE))

    def answers(self, count: int) -> list[Json]:
        """The first answers, once there are that many."""
        while len(found := self._found()) < count:
            received = self._socket.recv(65536)
            assert received, self._received[-500:]
            self._received += received
        return found

    def _found(self) -> list[Json]:
        lines = self._received.replace(b"\r\n", b"\n").split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("outage", OUTAGES)
def test_bulk_request_whose_redis_goes_away_is_answered_exactly(
    fragile: LiveStack, outage: Any, request: pytest.FixtureRequest
) -> None:
    key = f"outage-{request.node.callspec.id}"
    live = LiveRequest(fragile, key)
    live.send(BEFORE)
    accepted = [answer["id"] for answer in live.answers(BEFORE)]
    context: AbstractContextManager[None] = outage(fragile)
    with context:
        live.send(AFTER)
        first = live.answers(BEFORE + 1)[BEFORE]
        assert first["retryable"]
        assert first["line"] == BEFORE + 1
        assert first["code"] in ("unavailable", "submission_uncertain")
    live.close()

    with Client(fragile.url, timeout=60) as client:
        again = fragile.http.post(
            "/predict/async?model=iris",
            content=(BEFORE + AFTER) * LINE,
            headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": key},
        )
        ids = [json.loads(line)["id"] for line in again.text.splitlines()]
        assert ids[:BEFORE] == accepted
        assert len({*ids}) == BEFORE + AFTER
        found = {each.id: each.result().predictions for each in client.as_completed(ids)}
    assert found == {task_id: [0] for task_id in ids}


def test_client_maps_through_an_outage(fragile: LiveStack) -> None:
    """Each row has its prediction, and none is computed for nothing."""
    with Client(fragile.url) as client:
        found = client.map("iris", [[5.1, 3.5, 1.4, 0.2]] * 1500)
        first = next(found)
        with killed(fragile):
            pass
        assert [each.predictions for each in [first, *found]] == [[0]] * 1500
