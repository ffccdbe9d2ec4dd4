"""Faults during a job: the output is complete, or the job tells its error."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from registry.changes import Changes
from registry.store import Registry
from tasks.jobs.job import FileRef
from tasks.ledger import keys
from telemetry.errors import JobNotFound
from tests.integration.jobs.job_harness import JobHarness
from tests.integration.jobs.running_job import ROWS, begun, check, hold_output
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
    settings = {"PREDICTQ_VISIBILITY_TIMEOUT": "3", "PREDICTQ_BATCH_ROOTS": roots}
    with running(home, bulk=True, forks=True, **settings) as stack:
        yield stack


@pytest.fixture
def harness(mortal: LiveStack, tmp_path: Path) -> JobHarness:
    return JobHarness(mortal, tmp_path)


def computed(harness: JobHarness) -> int:
    """How many values the models have computed so far."""
    return len((harness.stack.home / "diary").read_text().splitlines())


def test_job_survives_killed_pool_processes(harness: JobHarness) -> None:
    job, values = begun(harness)
    for _ in range(2):
        for process in harness.stack.pool("bulk"):
            process.kill()
        until(lambda: len(harness.stack.pool("bulk")) == 2, "new processes")
    check(harness, job, values)


def test_job_survives_a_killed_worker(harness: JobHarness) -> None:
    before = computed(harness)
    job, values = begun(harness, least=ROWS // 2)
    harness.stack.kill("bulk")
    harness.stack.start("bulk")
    check(harness, job, values)
    # Settled chunks were not computed again; only chunks of two processes may have been, twice.
    chunk = ROWS / (harness.jobs.get(job.id).chunks or 1)
    assert computed(harness) - before <= ROWS + 4 * chunk + 3200


@pytest.mark.parametrize("names", [["redis"], ["bulk", "redis"]], ids="+".join)
def test_job_survives_a_killed_redis(harness: JobHarness, names: list[str]) -> None:
    job, values = begun(harness)
    for name in names:
        harness.stack.kill(name)
    for name in reversed(names):
        harness.stack.start(name)
    check(harness, job, values)


def test_finished_chunks_are_not_computed_again_after_a_full_stop(harness: JobHarness) -> None:
    job, values = begun(harness, least=ROWS // 3)
    everything = ("redis", "api", "worker", "bulk")
    for name in everything:
        os.killpg(harness.stack.pid(name), signal.SIGKILL)
    for name in everything:
        harness.stack.kill(name)
    diary = harness.stack.home / "diary"
    with diary.open("a") as torn:
        torn.write("\n")
    before = diary.stat().st_size
    harness.stack.start("redis")
    finished, chunks = harness.parts(job), harness.jobs.get(job.id).chunks or 0
    assert 0 < len(finished) < chunks
    (plan,) = harness.jobs.directory(job.id).path.glob("plan-*")
    rows = np.ones(ROWS, bool)
    for chunk in finished:
        span = read_span(plan, chunk)
        assert span
        rows[span.start : span.stop] = False
    harness.stack.start("api", "worker", "bulk")
    check(harness, job, values)
    assert {*map(float, diary.read_text()[before:].splitlines())} == {*values[rows, 0].tolist()}
    assert finished.items() <= harness.parts(job).items()


FATES = pytest.mark.parametrize("name", ["pool", "bulk", "redis"])


@contextmanager
def killed(stack: LiveStack, name: str) -> Iterator[None]:
    """Kill the pool processes, their worker or Redis; restart it after the context."""
    pool, log = stack.pool("bulk"), stack.home / "logs" / "bulk.log"
    told = len(log.read_text())
    if name != "pool":
        stack.kill(name)
    for process in pool if name != "redis" else []:
        with suppress(psutil.NoSuchProcess):  # an idle pool process ends with its worker
            process.kill()
    try:
        yield
        if name == "redis":
            until(lambda: "the ledger cannot be reached" in log.read_text()[told:], "a need of it")
    finally:  # later tests share the stack
        if name != "pool":
            stack.start(name)


@FATES
def test_job_validation_survives_a_kill(harness: JobHarness, name: str) -> None:
    gate = harness.stack.home / "gate"
    gate.touch()
    source, values = harness.numbers(ROWS)
    job = harness.submit(harness.order("gated", source))
    until(lambda: harness.client.hget(keys.ATTEMPTS, f"{job.id}.validate"), "its beginning")
    with killed(harness.stack, name):
        gate.unlink()
    check(harness, job, values)


@FATES
def test_job_finalizing_survives_a_kill(harness: JobHarness, name: str) -> None:
    output = FileRef(uri=str(harness.directory / "out.csv"), format="csv")
    job, values = begun(harness, "silent", ROWS // 4, output=output)
    continue_writing = hold_output(harness, job)
    with killed(harness.stack, name):
        assert not Path(output.uri).exists()
        continue_writing()  # the surviving process continues
    check(harness, job, values)
    until(lambda: not harness.jobs.directory(job.id).parts.exists(), "the end of the parts")


def test_frozen_worker_returns_after_another_did_its_step(harness: JobHarness) -> None:
    job, values = begun(harness)
    harness.stack.kill("worker")
    pool = harness.stack.pool("bulk")
    for process in pool:
        process.send_signal(signal.SIGSTOP)
    with harness.stack.frozen("bulk"):
        first = harness.stack.launch_second("bulk")
        check(harness, job, values)
    for process in pool:
        process.send_signal(signal.SIGCONT)
    first.terminate()
    until(lambda: not first.running(), "the end of the first")
    check(harness, job, values)
    harness.stack.start("worker")


def test_model_deleted_during_a_job(harness: JobHarness) -> None:
    register(harness.stack.home, "passing", Plodding(), [[1.0, 0.0]])
    source, values = harness.numbers(ROWS)
    job = harness.submit(harness.order("passing", source))
    until(lambda: harness.jobs.get(job.id).counts.succeeded, "a chunk")
    Changes(Registry(harness.stack.home)).remove("passing")
    job = harness.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "model_not_found")
    assert not Path(job.output.uri).exists()
    register(harness.stack.home, "passing", Plodding(), [[1.0, 0.0]], version=1)
    check(harness, harness.jobs.resume(job.id), values)


def test_parts_that_cannot_be_written(harness: JobHarness) -> None:
    job, values = begun(harness)
    parts, aside = harness.jobs.directory(job.id).parts, harness.directory / "aside"
    parts.rename(aside)
    parts.symlink_to("/proc/none")
    job = harness.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")
    parts.unlink()
    aside.rename(parts)
    check(harness, harness.jobs.resume(job.id), values)


def test_output_that_cannot_be_written(harness: JobHarness) -> None:
    source, _ = harness.numbers(100)
    output = FileRef(uri=str(harness.directory / "none" / "out.parquet"))
    job = harness.run("doubling", source, output=output)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")


def test_output_replaced_by_a_link(harness: JobHarness) -> None:
    (path := harness.directory / "outputs").mkdir()
    output = FileRef(uri=str(path / "out.parquet"))
    job, values = begun(harness, output=output)
    path.rmdir()
    path.symlink_to(harness.stack.home)
    job = harness.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "place_forbidden")
    assert not (harness.stack.home / "out.parquet").exists()
    path.unlink()
    path.mkdir()
    check(harness, harness.jobs.resume(job.id), values)


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_output_that_becomes_the_input(
    harness: JobHarness, link: Callable[[Path, Path], None]
) -> None:
    path = harness.directory / "out.parquet"
    job, values = begun(harness, output=FileRef(uri=str(path)))
    source = Path(job.input.uri)
    before = source.read_bytes()
    link(source, path)
    job = harness.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "invalid")
    assert "the same file as the input" in job.error.message
    assert source.read_bytes() == before
    path.unlink()
    check(harness, harness.jobs.resume(job.id), values)


def test_full_disk_fails_a_job_which_resumes(harness: JobHarness) -> None:
    job, values = begun(harness, "silent")
    pool = harness.stack.pool("bulk")
    limit_files(pool, 1000)
    job = harness.ended(job)
    assert (job.status, job.error and job.error.code) == ("failed", "output_unwritable")
    assert 0 < job.counts.succeeded < ROWS
    assert not Path(job.output.uri).exists()
    limit_files(pool, psutil.RLIM_INFINITY)
    check(harness, harness.jobs.resume(job.id), values)


def limit_files(processes: list[psutil.Process], size: int) -> None:
    """Limit the size of files that these processes write: a full disk for them alone."""
    for process in processes:
        process.rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))


def test_expired_job_can_be_resumed(harness: JobHarness) -> None:
    job, values = begun(harness)
    harness.client.hset(keys.JOB + job.id, "expires_at", "1.0")
    assert harness.jobs.get(job.id).status == "expired"
    check(harness, harness.jobs.resume(job.id), values)


def test_expired_job_is_deleted_with_its_files(harness: JobHarness) -> None:
    source, _ = harness.numbers(10)
    jobs = [harness.run("doubling", source, overwrite=True) for _ in range(2)]
    old, young = [harness.jobs.directory(job.id).path for job in jobs]
    harness.client.hset(keys.JOB + jobs[0].id, "expires_at", "1.0")
    harness.client.zadd(keys.JOBS, {jobs[0].id: 1.0})
    _, abandoned = harness.jobs.new()
    (abandoned.path / "input.csv").touch()
    for path in (abandoned.path / "input.csv", abandoned.path):
        os.utime(path, (1.0, 1.0))
    harness.stack.stop("bulk")
    harness.stack.start("bulk")
    until(lambda: not abandoned.path.exists(), "the end of what was abandoned")
    assert not old.exists()
    assert young.exists()
    with pytest.raises(JobNotFound):
        harness.jobs.get(jobs[0].id)
