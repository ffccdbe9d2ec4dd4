"""A Redis that is empty before each test, and a ledger with a queue of at most ten rows."""

import pytest
import redis

from tests.integration.ledger.ledger_harness import LedgerHarness


@pytest.fixture
def client(client: redis.Redis) -> redis.Redis:
    client.flushall()
    return client


@pytest.fixture
def harness(client: redis.Redis) -> LedgerHarness:
    return LedgerHarness(client, max_queued=10)
