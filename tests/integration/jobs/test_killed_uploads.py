"""The API dies in the middle of an upload: no job comes of it, and its file is swept away."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from predictq import Client
from predictq.errors import NotFound, Unreachable
from tasks.jobs.ledger import JobLedger
from tasks.settings import Settings
from tests.integration.jobs.job_harness import Room
from tests.support.stack import until
from workers.jobs.sweeping import ABANDONED, sweep

pytestmark = pytest.mark.slow

LARGE = 2**29
"""Bytes: more than are sent before anybody sees the first of them."""


def test_an_upload_whose_api_is_killed_leaves_nothing(room: Room) -> None:
    stack, jobs = room.stack, room.stack.home / "jobs"
    source = room.directory / "in.csv"
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
        check_is_swept(room, part)
        assert client.jobs.wait(client.jobs.submit("doubling", [[1.0, 0.0]]).id).counts.succeeded


def begun(directories: set[Path]) -> list[Path]:
    """The files that were written to, of these directories."""
    files = [file for directory in directories for file in directory.glob("input*")]
    return [file for file in files if file.stat().st_size]


def check_is_swept(room: Room, part: Path) -> None:
    """An hour after its last byte, and not before."""
    settings = Settings(home=room.stack.home, redis_url=room.stack.redis_url)
    ledger = JobLedger(room.client, settings)
    sweep(ledger, settings)
    assert part.exists()
    for path in (part, part.parent):
        written = path.stat().st_mtime - ABANDONED
        os.utime(path, (written, written))
    sweep(ledger, settings)
    assert not part.parent.exists()
