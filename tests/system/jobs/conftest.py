"""A stack that computes batch jobs, of models that raise and that take their time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.jobs.job_harness import Room
from tests.support.bulk_stack import computing_jobs
from tests.support.models import Plodding, Touchy
from tests.support.stack import LiveStack


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("live")
    with computing_jobs(home, Touchy, Plodding, PREDICTQ_THREADS="8") as stack:
        yield stack


@pytest.fixture
def room(live: LiveStack, tmp_path: Path) -> Room:
    return Room(live, tmp_path)
