"""Batch jobs give way to single predictions."""

from pathlib import Path

import psutil
import pytest

from tests.integration.jobs.room import Room
from workers.urgency import LEAST_URGENT, SESSION


def test_the_pool_of_batch_jobs_is_the_least_urgent(room: Room) -> None:
    assert {process.nice() for process in room.stack.pool("bulk")} == {LEAST_URGENT}
    assert {process.nice() for process in room.stack.pool("worker")} == {psutil.Process().nice()}


@pytest.mark.skipif(not SESSION.exists(), reason="processors are not shared among sessions here")
def test_its_session_is_the_least_urgent_too(room: Room) -> None:
    assert session_nice(room, "bulk") == LEAST_URGENT
    assert session_nice(room, "worker") < LEAST_URGENT


def session_nice(room: Room, worker: str) -> int:
    process, *_ = room.stack.pool(worker)
    _name, _nice, level = Path(f"/proc/{process.pid}/autogroup").read_text().split()
    return int(level)
