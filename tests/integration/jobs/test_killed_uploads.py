"""The API is killed during an upload: no job is made, and the file is swept later."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from predictq import Client
from predictq.errors import NotFound, Unreachable
from tasks.jobs.ledger import JobLedger
from tasks.settings import Settings
from tests.integration.jobs.job_harness import JobHarness
from tests.support.stack import until
from workers.jobs.sweeping import ABANDONED_SECONDS, sweep_jobs

pytestmark = pytest.mark.slow

LARGE = 2**29
"""Bytes: more than are sent before anybody sees the first of them."""


def test_upload_to_a_killed_api_leaves_nothing(harness: JobHarness) -> None:
    stack, jobs = harness.stack, harness.stack.home / "jobs"
    source = harness.directory / "in.csv"
    with source.open("wb") as file:
        file.truncate(LARGE)
    before = {*jobs.glob("*/")}
    with ThreadPoolExecutor() as pool, Client(stack.url) as client:
        sent = pool.submit(client.jobs.submit, "doubling", str(source), upload=True)
        (part,) = until(lambda: begun({*jobs.glob("*/")} - before), "the first bytes on disk")
        stack.kill("api")
        with pytest.raises(Unreachable, match="no answer from 127.0.0.1") as failed:
            sent.result()
        assert failed.value.sent
        stack.start("api")
        assert 0 < part.stat().st_size < LARGE
        with pytest.raises(NotFound):
            client.jobs.get(part.parent.name)
        assert part.parent.name not in [job.id for job in client.jobs.list(100)]
        check_is_swept(harness, part)
        assert client.jobs.wait(client.jobs.submit("doubling", [[1.0, 0.0]]).id).counts.succeeded


def begun(directories: set[Path]) -> list[Path]:
    """The files in these directories that hold bytes."""
    files = [file for directory in directories for file in directory.glob("input*")]
    return [file for file in files if file.stat().st_size]


def check_is_swept(harness: JobHarness, part: Path) -> None:
    """Assert that the file is swept an hour after its last byte, not before."""
    settings = Settings(home=harness.stack.home, redis_url=harness.stack.redis_url)
    ledger = JobLedger(harness.client, settings)
    sweep_jobs(ledger, settings)
    assert part.exists()
    for path in (part, part.parent):
        written = path.stat().st_mtime - ABANDONED_SECONDS
        os.utime(path, (written, written))
    sweep_jobs(ledger, settings)
    assert not part.parent.exists()
