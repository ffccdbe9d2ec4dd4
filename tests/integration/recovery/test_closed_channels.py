"""A closed channel reserves no messages, since it could deliver them to no consumer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Queue
from kombu.transport import _transport_cache

from stack.redis import socket as redis_socket
from tasks.broker import celery_url
from tests.integration.ledger.ledger_harness import message
from tests.unit.workers.microbatch.batcher_harness import Bench
from workers.celery.transport import Transport

pytestmark = pytest.mark.slow


@pytest.fixture
def channel(client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A channel that consumes predictions."""
    url = redis_socket.url(client.connection_pool.connection_kwargs["path"])
    monkeypatch.setenv("PREDICTQ_HOME", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", url)
    monkeypatch.setitem(_transport_cache, "redis", Transport)  # as workers/app.py has it
    with Connection(celery_url(url)) as connection:
        channel = connection.channel()
        Queue("predict")(channel).declare()
        channel.qos.batcher = Bench().batcher
        channel.basic_consume("predict", no_ack=False, callback=None, consumer_tag="tag")
        yield channel


def test_closed_channel_reserves_nothing(client: redis.Redis, channel: Any) -> None:
    client.lpush("predict", message("p"))
    channel.close()
    assert channel.consume() == 0
    assert client.lrange("predict", 0, -1) == [message("p")]
    assert not client.hlen("predictq:reserved")
