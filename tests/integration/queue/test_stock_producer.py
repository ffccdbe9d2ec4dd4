"""A stock producer's message lands in exactly one of the two queues."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection

import celeryconfig
from stack.process import Process
from stack.redis import server as redis_server
from stack.redis import socket as redis_socket
from tasks.broker import celery_url
from tests.support.stack import until
from tests.support.stock_producer import Stock


@pytest.fixture
def client(tmp_path: Path) -> Iterator["redis.Redis[bytes]"]:
    """A Redis whose queues are declared, as a worker declares them, without a worker."""
    server = redis_server.prepare_server(tmp_path / "redis")
    process = Process(server.program(), tmp_path / "redis.log")
    try:
        until(process.program.ready, "Redis")
        with Connection(celery_url(server.url)) as connection:
            for queue in celeryconfig.task_queues:
                queue(connection.default_channel).declare()
        with redis.Redis.from_url(server.url) as client:
            yield client
    finally:
        process.terminate()
        until(lambda: not process.running(), "the end of Redis")


@pytest.mark.parametrize(("lane", "other"), [("predict", "bulk"), ("bulk", "predict")])
def test_stock_producer_reaches_only_the_named_queue(
    client: "redis.Redis[bytes]", lane: str, other: str
) -> None:
    url = redis_socket.url(client.connection_pool.connection_kwargs["path"])
    Stock(url).app.send_task("tasks.prediction.predict", kwargs={}, queue=lane)
    assert (client.llen(lane), client.llen(other)) == (1, 0)
