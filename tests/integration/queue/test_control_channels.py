"""Remote control comes over the worker's transport, too, and does not wait for a free process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from kombu import Connection

from stack.redis import socket as redis_socket
from tests.integration.worker_connection import consuming, worker_connection

pytestmark = pytest.mark.slow


@pytest.fixture
def connection(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    url = redis_socket.url(client.connection_pool.connection_kwargs["path"])
    with worker_connection(url, tmp_path, monkeypatch) as connection:
        yield connection


def test_control_channels_take_messages_while_all_processes_are_busy(
    connection: Connection,
) -> None:
    control, predictions = connection.channel(), consuming(connection)
    assert predictions.qos.can_consume()
    predictions.services.registry_outage.begin()
    assert not predictions.qos.can_consume()
    assert control.qos.can_consume()


def test_control_channels_renew_no_reservations(connection: Connection) -> None:
    control, predictions = connection.channel(), consuming(connection)
    renewed: list[str] = []
    for name, channel in (("control", control), ("predictions", predictions)):
        channel.upkeep = lambda name=name: renewed.append(name)
        channel.qos.restore_visible()
    assert renewed == ["predictions"]
