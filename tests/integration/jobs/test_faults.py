"""Processes die, Redis goes, models and files go: the output is whole, or the job says why not."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from registry.store import Registry
from tasks.jobs.job import FileRef
from tasks.ledger import keys
from telemetry.errors import JobNotFound
from tests.integration.jobs.job_harness import Room
from tests.integration.jobs.running_job import ROWS, begun, check, put_together
from tests.support.models import Doubling, Plodding, register
from tests.support.slow_models import Gated
from tests.support.stack import LiveStack, running, until
from workers.jobs.validation.planning import read_span

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("mortal")
    (home / "diary").touch()
    register(home, "plodding", Plodding(str(home / "diary")), [[1.0, 0.0]])
    register(home, "silent", Plodding(), [[1.0, 0.0]])
    register(home, "doubling", Doubling(), [[1.0, 0.0]])
    register(home, "gated", Gated(str(home / "gate")), [[1.0, 0.0]])
    roots = str(tmp_path_factory.getbasetemp())
    with running(
        home, PREDICTQ_VISIBILITY_TIMEOUT="3", PREDICTQ_BATCH_ROOTS=roots, bulk=True
    ) as stack:
        yield stack


@pytest.fixture
def room(mortal: LiveStack, tmp_path: Path) -> Room:
    return Room(mortal, tmp_path)


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
    job, values = begun(room, least=ROWS // 2)
    room.stack.kill("bulk")
    room.stack.start("bulk")
    check(room, job, values)
    # What was settled was not computed again: at most what two processes had under way, twice.
    chunk = ROWS / (room.jobs.get(job.id).chunks or 1)
    assert computed(room) - before <= ROWS + 4 * chunk + 3200


@pytest.mark.parametrize("names", [["redis"], ["bulk", "redis"]], ids="+".join)
def test_redis_is_killed(room: Room, names: list[str]) -> None:
    job, values = begun(room)
    for name in names:
        room.stack.kill(name)
    for name in reversed(names):
        room.stack.start(name)
    check(room, job, values)


def test_after_a_full_stop_no_finished_chunk_is_computed_again(room: Room) -> None:
    job, values = begun(room, least=ROWS // 3)
    everything = ("redis", "api", "worker", "bulk")
    for name in everything:
        os.killpg(room.stack.pid(name), signal.SIGKILL)
    for name in everything:
        room.stack.kill(name)
    diary = room.stack.home / "diary"
    with diary.open("a") as torn:
        torn.write("\n")
    before = diary.stat().st_size
    room.stack.start("redis")
    finished, chunks = room.parts(job), room.jobs.get(job.id).chunks or 0
    assert 0 < len(finished) < chunks
    (plan,) = room.jobs.directory(job.id).path.glob("plan-*")
    rows = np.ones(ROWS, bool)
    for chunk in finished:
        span = read_span(plan, chunk)
        assert span
        rows[span.start : span.stop] = False
    room.stack.start("api", "worker", "bulk")
    check(room, job, values)
    assert {*map(float, diary.read_text()[before:].splitlines())} == {*values[rows, 0].tolist()}
    assert finished.items() <= room.parts(job).items()


FATES = pytest.mark.parametrize("name", ["pool", "bulk", "redis"])


@contextmanager
def struck(stack: LiveStack, name: str) -> Iterator[None]:
    """Kill the processes of the pool, their worker with them, or Redis, which is gone meanwhile."""
    pool, log = stack.pool("bulk"), stack.home / "logs" / "bulk.log"
    told = len(log.read_text())
    if name != "pool":
        stack.kill(name)
    for process in pool if name != "redis" else []:
        with suppress(psutil.NoSuchProcess):  # an idle one ends with its worker
            process.kill()
    try:
        yield
        if name == "redis":
            until(lambda: "the ledger cannot be reached" in log.read_text()[told:], "a need of it")
    finally:  # the tests after it share the stack
        if name != "pool":
            stack.start(name)


@FATES
def test_killed_while_a_job_is_validated(room: Room, name: str) -> None:
    gate = room.stack.home / "gate"
    gate.touch()
    source, values = room.numbers(ROWS)
    job = room.submit(room.order("gated", source))
    until(lambda: room.client.hget(keys.ATTEMPTS, f"{job.id}.validate"), "its beginning")
    with struck(room.stack, name):
        gate.unlink()
    check(room, job, values)


@FATES
def test_killed_while_an_output_is_put_together(room: Room, name: str) -> None:
    output = FileRef(uri=str(room.directory / "out.csv"), format="csv")
    job, values = begun(room, "silent", ROWS // 4, output=output)
    go_on = put_together(room, job)
    with struck(room.stack, name):
        assert not Path(output.uri).exists()
        go_on()  # who lives does
    check(room, job, values)
    until(lambda: not room.jobs.directory(job.id).parts.exists(), "the end of the parts")


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
    job = room.submit(room.order("passing", source))
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
    place = FileRef(uri=str(room.directory / "none" / "out.parquet"))
    job = room.run("doubling", source, output=place)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")


def test_a_link_takes_the_place_of_the_output(room: Room) -> None:
    (place := room.directory / "outputs").mkdir()
    output = FileRef(uri=str(place / "out.parquet"))
    job, values = begun(room, output=output)
    place.rmdir()
    place.symlink_to(room.stack.home)
    job = room.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "place_forbidden")
    assert not (room.stack.home / "out.parquet").exists()
    place.unlink()
    place.mkdir()
    check(room, room.jobs.resume(job.id), values)


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_the_output_becomes_the_input(room: Room, link: Callable[[Path, Path], None]) -> None:
    place = room.directory / "out.parquet"
    job, values = begun(room, output=FileRef(uri=str(place)))
    source = Path(job.input.uri)
    before = source.read_bytes()
    link(source, place)
    job = room.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "invalid")
    assert "take the place of the input" in job.error.message
    assert source.read_bytes() == before
    place.unlink()
    check(room, room.jobs.resume(job.id), values)


def test_there_is_no_room_for_the_parts(room: Room) -> None:
    job, values = begun(room, "silent")
    pool = room.stack.pool("bulk")
    limit_files(pool, 1000)
    job = room.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")
    assert 0 < job.counts.succeeded < ROWS
    assert not Path(job.output.uri).exists()
    limit_files(pool, psutil.RLIM_INFINITY)
    check(room, room.jobs.resume(job.id), values)


def limit_files(processes: list[psutil.Process], size: int) -> None:
    """Let no file that they write grow beyond so many bytes: as a full disk, but for them alone."""
    for process in processes:
        process.rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))


def test_a_job_whose_time_is_over_goes_on_when_it_is_resumed(room: Room) -> None:
    job, values = begun(room)
    room.client.hset(keys.JOB + job.id, "expires_at", "1.0")
    assert room.jobs.get(job.id).status == "expired"
    check(room, room.jobs.resume(job.id), values)


def test_what_ended_long_ago_is_forgotten_with_its_files(room: Room) -> None:
    source, _ = room.numbers(10)
    jobs = [room.run("doubling", source, overwrite=True) for _ in range(2)]
    old, young = [room.jobs.directory(job.id).path for job in jobs]
    room.client.hset(keys.JOB + jobs[0].id, "expires_at", "1.0")
    room.client.zadd(keys.JOBS, {jobs[0].id: 1.0})
    _, abandoned = room.jobs.new()
    (abandoned.path / "input.csv").touch()
    for path in (abandoned.path / "input.csv", abandoned.path):
        os.utime(path, (1.0, 1.0))
    room.stack.stop("bulk")
    room.stack.start("bulk")
    until(lambda: not abandoned.path.exists(), "the end of what was abandoned")
    assert not old.exists()
    assert young.exists()
    with pytest.raises(JobNotFound):
        room.jobs.get(jobs[0].id)
