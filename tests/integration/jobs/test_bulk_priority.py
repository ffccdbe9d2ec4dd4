"""Batch jobs give way to single predictions."""

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.jobs.job_harness import JobHarness
from tests.support.bulk_stack import computing_jobs
from tests.support.models import Doubling
from workers.pool.priority import (
    AUTOGROUP_FILE,
    LOWEST_IO_PRIORITY,
    MAX_NICENESS,
    MAX_SLICE_NS,
    SCHED_SETATTR,
)

pytestmark = pytest.mark.slow

LINUX = [int(number) for number in platform.release().split(".")[:2]]
GRANTS_SLICES = LINUX >= [6, 12] and platform.machine() in SCHED_SETATTR


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobHarness]:
    directory = tmp_path_factory.mktemp("giving-way")
    (home := directory / "home").mkdir()
    with computing_jobs(home, Doubling, PREDICTQ_BATCH_PRIORITY="low") as stack:
        yield JobHarness(stack, directory)


def test_bulk_pool_has_the_lowest_nice_value(harness: JobHarness) -> None:
    assert {process.nice() for process in harness.stack.pool("bulk")} == {MAX_NICENESS}
    assert {process.nice() for process in harness.stack.pool("worker")} == {psutil.Process().nice()}


@pytest.mark.skipif(
    not AUTOGROUP_FILE.exists(), reason="processors are not shared among sessions here"
)
def test_bulk_session_has_the_lowest_priority(harness: JobHarness) -> None:
    assert session_nice(harness, "bulk") == MAX_NICENESS
    assert session_nice(harness, "worker") < MAX_NICENESS


def test_bulk_pool_is_scheduled_idle(harness: JobHarness) -> None:
    assert policies(harness, "bulk") == {os.SCHED_IDLE}
    assert policies(harness, "worker") == {os.sched_getscheduler(0)}
    (writing,) = {process.ionice() for process in harness.stack.pool("bulk")}
    assert writing == (psutil.IOPRIO_CLASS_BE, LOWEST_IO_PRIORITY)


@pytest.mark.skipif(not GRANTS_SLICES, reason="slices need Linux 6.12, and a machine we know")
def test_bulk_pool_has_longer_slices(harness: JobHarness) -> None:
    assert {slice_of(each) for each in harness.stack.pool("bulk")} == {MAX_SLICE_NS}
    assert all(slice_of(each) < MAX_SLICE_NS for each in harness.stack.pool("worker"))


def policies(harness: JobHarness, worker: str) -> set[int]:
    return {os.sched_getscheduler(process.pid) for process in harness.stack.pool(worker)}


def slice_of(process: psutil.Process) -> int:
    """The scheduling slice of a process in nanoseconds, by `sched_getattr`."""
    attributes = ctypes.create_string_buffer(48)
    number = SCHED_SETATTR[platform.machine()] + 1
    assert ctypes.CDLL(None).syscall(number, process.pid, attributes, len(attributes), 0) == 0
    return int.from_bytes(attributes[24:32], sys.byteorder)


def session_nice(harness: JobHarness, worker: str) -> int:
    process, *_ = harness.stack.pool(worker)
    _name, _nice, level = Path(f"/proc/{process.pid}/autogroup").read_text().split()
    return int(level)
