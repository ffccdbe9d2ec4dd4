"""A Redis that is empty before each test."""

import pytest
import redis


@pytest.fixture
def client(client: redis.Redis) -> redis.Redis:
    client.flushall()
    return client
