"""A worker whose steps a test takes by hand."""

import pytest
import redis

from tests.integration.ledger.jobs.job_worker import ManualWorker


@pytest.fixture
def worker(client: redis.Redis) -> ManualWorker:
    return ManualWorker(client)
