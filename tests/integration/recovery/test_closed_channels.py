"""A closed channel reserves no messages, since it could deliver them to no consumer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from stack.redis import socket as redis_socket
from tests.integration.ledger.ledger_harness import message
from tests.integration.worker_connection import consuming, worker_connection

pytestmark = pytest.mark.slow


@pytest.fixture
def channel(client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A channel that consumes predictions."""
    url = redis_socket.url(client.connection_pool.connection_kwargs["path"])
    with worker_connection(url, tmp_path, monkeypatch) as connection:
        yield consuming(connection)


def test_closed_channel_reserves_nothing(client: redis.Redis, channel: Any) -> None:
    client.lpush("predict", message("p"))
    channel.close()
    assert channel.consume() == 0
    assert client.lrange("predict", 0, -1) == [message("p")]
    assert not client.hlen("predictq:reserved")
