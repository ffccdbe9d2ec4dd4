"""A ledger of callers with flows, on a Redis that is empty before each test."""

import pytest
import redis

from tests.integration.ledger.flows.flow_harness import FlowHarness


@pytest.fixture
def flows(client: redis.Redis) -> FlowHarness:
    return FlowHarness(client)
