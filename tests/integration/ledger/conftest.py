"""A Redis that is empty before each test, and a ledger where ten rows may wait."""

import pytest
import redis

from tests.integration.ledger.ledger_harness import Room


@pytest.fixture
def client(client: redis.Redis) -> redis.Redis:
    client.flushall()
    return client


@pytest.fixture
def room(client: redis.Redis) -> Room:
    return Room(client, max_queued=10)
