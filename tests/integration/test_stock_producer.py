"""The two lanes as a stock producer meets them: its message lands in one, and in one only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery
from kombu import Connection

import celeryconfig
from cli import redis_server
from cli.process import Process
from tests.stack import until


@pytest.fixture
def client(tmp_path: Path) -> Iterator["redis.Redis[bytes]"]:
    """A Redis that knows the lanes, as a worker declares them, and no worker."""
    server = redis_server.prepare(tmp_path / "redis")
    process = Process(server.program(), tmp_path / "redis.log")
    try:
        until(process.program.ready, "Redis")
        with Connection(server.url) as connection:
            for queue in celeryconfig.task_queues:
                queue(connection.default_channel).declare()
        with redis.Redis.from_url(server.url) as client:
            yield client
    finally:
        process.terminate()
        until(lambda: not process.running(), "the end of Redis")


@pytest.mark.parametrize(("lane", "other"), [("predict", "bulk"), ("bulk", "predict")])
def test_a_message_lands_in_its_lane_only(
    client: "redis.Redis[bytes]", lane: str, other: str
) -> None:
    port = client.connection_pool.connection_kwargs["port"]
    url = f"redis://127.0.0.1:{port}/0"
    stock = Celery("stock", broker=url, backend=url, set_as_current=False)
    stock.send_task("tasks.prediction.predict", kwargs={}, queue=lane)
    assert (client.llen(lane), client.llen(other)) == (1, 0)
