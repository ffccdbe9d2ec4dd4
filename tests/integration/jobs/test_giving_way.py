"""Batch jobs give way to single predictions."""

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.jobs.job_harness import Room
from tests.support.bulk_stack import computing_jobs
from tests.support.models import Doubling
from workers.pool.priority import (
    LEAST_URGENT,
    LEAST_URGENT_WRITES,
    LONG_SLICE,
    SCHED_SETATTR,
    SESSION,
)

pytestmark = pytest.mark.slow

LINUX = [int(number) for number in platform.release().split(".")[:2]]
GRANTS_SLICES = LINUX >= [6, 12] and platform.machine() in SCHED_SETATTR


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    directory = tmp_path_factory.mktemp("giving-way")
    (home := directory / "home").mkdir()
    with computing_jobs(home, Doubling, PREDICTQ_BATCH_PRIORITY="low") as stack:
        yield Room(stack, directory)


def test_the_pool_of_batch_jobs_is_the_least_urgent(room: Room) -> None:
    assert {process.nice() for process in room.stack.pool("bulk")} == {LEAST_URGENT}
    assert {process.nice() for process in room.stack.pool("worker")} == {psutil.Process().nice()}


@pytest.mark.skipif(not SESSION.exists(), reason="processors are not shared among sessions here")
def test_its_session_is_the_least_urgent_too(room: Room) -> None:
    assert session_nice(room, "bulk") == LEAST_URGENT
    assert session_nice(room, "worker") < LEAST_URGENT


def test_whoever_wakes_up_interrupts_it(room: Room) -> None:
    assert policies(room, "bulk") == {os.SCHED_IDLE}
    assert policies(room, "worker") == {os.sched_getscheduler(0)}
    (writing,) = {process.ionice() for process in room.stack.pool("bulk")}
    assert writing == (psutil.IOPRIO_CLASS_BE, LEAST_URGENT_WRITES)


@pytest.mark.skipif(not GRANTS_SLICES, reason="slices need Linux 6.12, and a machine we know")
def test_its_slices_are_longer_than_those_of_others(room: Room) -> None:
    assert {slice_of(each) for each in room.stack.pool("bulk")} == {LONG_SLICE}
    assert all(slice_of(each) < LONG_SLICE for each in room.stack.pool("worker"))


def policies(room: Room, worker: str) -> set[int]:
    return {os.sched_getscheduler(process.pid) for process in room.stack.pool(worker)}


def slice_of(process: psutil.Process) -> int:
    """Nanoseconds; the call that reads them is the one after that which sets them."""
    attributes = ctypes.create_string_buffer(48)
    number = SCHED_SETATTR[platform.machine()] + 1
    assert ctypes.CDLL(None).syscall(number, process.pid, attributes, len(attributes), 0) == 0
    return int.from_bytes(attributes[24:32], sys.byteorder)


def session_nice(room: Room, worker: str) -> int:
    process, *_ = room.stack.pool(worker)
    _name, _nice, level = Path(f"/proc/{process.pid}/autogroup").read_text().split()
    return int(level)
