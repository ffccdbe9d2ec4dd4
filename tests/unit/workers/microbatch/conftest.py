"""A batcher before one pool process."""

import pytest

from tests.unit.workers.microbatch.batcher_harness import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
