"""Processes die, Redis goes, models and files go: the output is whole, or the job says why not."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.store import Registry
from tasks.jobs.job import Job, Place
from tests.integration.jobs.room import Room
from tests.models import Doubling, Plodding, register
from tests.stack import LiveStack, running, until

ROWS = 60_000


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("mortal")
    (home / "diary").touch()
    register(home, "plodding", Plodding(str(home / "diary")), [[1.0, 0.0]])
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    roots = str(tmp_path_factory.getbasetemp())
    with running(home, PREDICTQ_VISIBILITY_TIMEOUT="3", PREDICTQ_BATCH_ROOTS=roots) as stack:
        stack.start("bulk")
        yield stack


@pytest.fixture
def room(mortal: LiveStack, tmp_path: Path) -> Room:
    return Room(mortal, tmp_path)


def begun(room: Room, **fields: Any) -> tuple[Job, Any]:
    """A job of which a chunk is settled and others are computed, and its numbers."""
    source, values = room.numbers(ROWS)
    job = room.jobs.create(room.order("plodding", source, **fields))
    until(lambda: room.jobs.get(job.id).counts.succeeded, "a chunk")
    return job, values


def check(room: Room, job: Job, values: Any) -> None:
    """It is complete, and equal to what the model says."""
    job = room.ended(job)
    assert job.status == "completed", job
    assert job.counts.succeeded == ROWS
    assert room.predictions(job) == (2 * values[:, 0]).tolist()


def computed(room: Room) -> int:
    """Values that were computed so far, ever."""
    return len((room.stack.home / "diary").read_text().splitlines())


def test_processes_of_the_pool_are_killed(room: Room) -> None:
    job, values = begun(room)
    for _ in range(2):
        for process in room.stack.pool("bulk"):
            process.kill()
        until(lambda: len(room.stack.pool("bulk")) == 2, "new processes")
    check(room, job, values)


def test_the_worker_is_killed(room: Room) -> None:
    before = computed(room)
    job, values = begun(room)
    room.stack.kill("bulk")
    room.stack.start("bulk")
    check(room, job, values)
    # What was settled was not computed again: at most what two processes had under way, twice.
    chunk = ROWS / (room.jobs.get(job.id).chunks or 1)
    assert computed(room) - before <= ROWS + 4 * chunk + 3200


def test_redis_is_killed(room: Room) -> None:
    job, values = begun(room)
    room.stack.kill("redis")
    room.stack.start("redis")
    check(room, job, values)


def test_everything_is_killed_and_starts_again(room: Room) -> None:
    job, values = begun(room)
    room.stack.kill("bulk")
    room.stack.kill("redis")
    room.stack.start("redis")
    room.stack.start("bulk")
    check(room, job, values)


def test_a_frozen_worker_comes_back_after_another_did_its_work(room: Room) -> None:
    job, values = begun(room)
    room.stack.kill("worker")
    pool = room.stack.pool("bulk")
    for process in pool:
        process.send_signal(signal.SIGSTOP)
    with room.stack.frozen("bulk"):
        first = room.stack.give_way("bulk")
        check(room, job, values)
    for process in pool:
        process.send_signal(signal.SIGCONT)
    first.terminate()
    until(lambda: not first.running(), "the end of the first")
    check(room, job, values)
    room.stack.start("worker")


def test_the_model_is_deleted_meanwhile(room: Room) -> None:
    register(room.stack.home, "passing", Plodding(), [[1.0, 0.0]])
    source, values = room.numbers(ROWS)
    job = room.jobs.create(room.order("passing", source))
    until(lambda: room.jobs.get(job.id).counts.succeeded, "a chunk")
    Registry(room.stack.home).remove("passing")
    job = room.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "model_not_found")
    assert not Path(job.output.uri).exists()
    register(room.stack.home, "passing", Plodding(), [[1.0, 0.0]], version=1)
    check(room, room.jobs.resume(job.id), values)


def test_parts_cannot_be_written(room: Room) -> None:
    job, values = begun(room)
    parts, aside = room.jobs.directory(job.id).parts, room.directory / "aside"
    parts.rename(aside)
    parts.symlink_to("/proc/none")
    job = room.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")
    parts.unlink()
    aside.rename(parts)
    check(room, room.jobs.resume(job.id), values)


def test_the_output_cannot_be_written(room: Room) -> None:
    source, _ = room.numbers(100)
    place = Place(uri=str(room.directory / "none" / "out.parquet"))
    job = room.run("doubling", source, output=place)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")
