"""A stack that computes batch jobs, with models that raise or are slow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.jobs.job_harness import JobHarness
from tests.measurement import MEASUREMENT
from tests.support.bulk_stack import computing_jobs
from tests.support.models import Plodding, Touchy
from tests.support.stack import LiveStack


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("live")
    with (
        MEASUREMENT.of_children(),
        computing_jobs(home, Touchy, Plodding, forks=False, PREDICTQ_THREADS="8") as stack,
    ):
        yield stack


@pytest.fixture
def harness(live: LiveStack, tmp_path: Path) -> JobHarness:
    return JobHarness(live, tmp_path)
