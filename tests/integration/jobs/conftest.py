"""A stack that computes batch jobs, with models that raise, kill or wait."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.jobs.job_harness import JobHarness
from tests.measurement import MEASUREMENT
from tests.support.bulk_stack import computing_jobs
from tests.support.models import Doubling, Greedy, Lethal, Plodding, Touchy
from tests.support.stack import LiveStack


@pytest.fixture(scope="session")
def bulky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home, models = tmp_path_factory.mktemp("bulky"), (Doubling, Touchy, Lethal, Plodding, Greedy)
    settings = {"PREDICTQ_VISIBILITY_TIMEOUT": "4", "PREDICTQ_JOB_MEMORY": str(2**30)}
    with (
        MEASUREMENT.of_children(),
        computing_jobs(home, *models, forks=False, **settings) as stack,
    ):
        yield stack


@pytest.fixture
def harness(bulky: LiveStack, tmp_path: Path) -> JobHarness:
    return JobHarness(bulky, tmp_path)
