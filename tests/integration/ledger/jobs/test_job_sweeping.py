"""Sweeping: files go with their jobs; uploads without a job after an hour; leftovers later."""

import os
import time
from pathlib import Path

import pytest
import redis

from registry.storage.files import write_file
from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import FileRef, JobRequest
from tasks.jobs.ledger import JobLedger
from tasks.ledger import keys
from tasks.settings import Settings
from workers.jobs import ownership
from workers.jobs.sweeping import ABANDONED_SECONDS, sweep_jobs

ORDER = JobRequest(
    model="m", version=1, input=FileRef(uri="/in.csv"), output=FileRef(uri="/out.csv")
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, redis_url="redis://none")


@pytest.fixture
def ledger(client: redis.Redis, settings: Settings) -> JobLedger:
    return JobLedger(client, settings)


def directory(home: Path, name: str, file: str = "input.csv", age: float = 0.0) -> Path:
    """The directory of a job, with a file that was written ``age`` seconds ago."""
    path = JobDirectory(home, name).path
    path.mkdir(parents=True)
    (path / file).touch()
    for written in (path / file, path):
        os.utime(written, (time.time() - age,) * 2)
    return path


def accept(ledger: JobLedger, name: str, created_at: float | None = None) -> None:
    ledger.create(name, ORDER)
    if created_at is not None:
        ledger.client.zadd(keys.JOBS, {name: created_at})


def test_swept_job_is_deleted_with_its_files(ledger: JobLedger, settings: Settings) -> None:
    for name in ("old", "bad", "resumed", "young"):
        accept(ledger, name, None if name == "young" else 1.0)
        ledger.cancel(name)
        directory(settings.home, name, "output")
    for name in ("old", "bad"):
        ledger.client.hset(keys.JOB + name, "expires_at", "1.0")
    ledger.client.hset(f"{keys.JOB}bad", "report", b"no report")
    sweep_jobs(ledger, settings)
    left = sorted(path.name for path in (settings.home / "jobs").iterdir())
    assert left == [".lock", "resumed", "stack", "young"]
    assert ledger.latest(9) == ["young", "resumed"]


def test_sweep_passes_many_older_jobs_that_stay(ledger: JobLedger, settings: Settings) -> None:
    for number in range(300):
        accept(ledger, f"resumed-{number}", 1.0)
    accept(ledger, "old", 2.0)
    for _ in range(2):  # the first sweep ends it, the second forgets it
        ledger.client.hset(f"{keys.JOB}old", "expires_at", "1.0")
        sweep_jobs(ledger, settings)
    assert not ledger.knows("old")


def test_sweep_ignores_the_clock_of_the_host(
    ledger: JobLedger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept(ledger, "a")
    kept = directory(settings.home, "a")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e9)
    sweep_jobs(ledger, settings)
    assert kept.exists()
    job = ledger.job("a")
    assert job
    assert job.status == "validating"


def test_files_of_no_job_are_deleted_once_unused(ledger: JobLedger, settings: Settings) -> None:
    late, later = ABANDONED_SECONDS + 60, settings.job_ttl + 60
    accept(ledger, "known")
    for name, file, age in (
        ("known", "input.csv", later),
        ("written", "input.csv", 0.0),
        ("uploaded", "input.csv", late),
        ("computed", "output", late),  # another Redis may know it
        ("left", "output", later),
    ):
        directory(settings.home, name, file, age)
    (settings.home / "jobs" / "file").touch()
    sweep_jobs(ledger, settings)
    left = sorted(path.name for path in (settings.home / "jobs").iterdir())
    assert left == [".lock", "computed", "file", "known", "stack", "written"]


def test_files_of_another_redis_stay(
    ledger: JobLedger, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    sweep_with_an_upload(ledger, settings, "first")
    assert not (settings.home / "jobs" / "first").exists()
    ledger.client.flushall()  # as at a wrong address: a Redis that knows none of these jobs
    sweep_with_an_upload(ledger, settings, "second")
    assert (settings.home / "jobs" / "second").exists()
    assert "check REDIS_URL" in caplog.text
    ledger.client.set(keys.JOBS_STACK, "another")
    sweep_jobs(ledger, settings)
    assert (settings.home / "jobs" / "second").exists()
    (settings.home / "jobs" / "stack").unlink()  # as an operator does once the other Redis is gone
    ledger.client.delete(keys.JOBS_STACK)
    sweep_jobs(ledger, settings)
    assert not (settings.home / "jobs" / "second").exists()


def test_sweep_recognises_a_home_that_lost_its_files(ledger: JobLedger, settings: Settings) -> None:
    (settings.home / "jobs").mkdir()
    ledger.client.set(keys.JOBS_STACK, "this")
    sweep_jobs(ledger, settings)
    assert (settings.home / "jobs" / "stack").read_text() == "this"


def test_sweep_completes_an_id_that_was_half_made(
    ledger: JobLedger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_before_the_file(path: Path, content: bytes) -> None:
        if path.name == ownership.STACK_FILE:
            raise OSError("no space")
        write_file(path, content)

    monkeypatch.setattr(ownership, "write_file", end_before_the_file)
    with pytest.raises(OSError, match="no space"):
        sweep_with_an_upload(ledger, settings, "left")
    assert ledger.client.get(keys.JOBS_STACK), "Redis has the id already"
    monkeypatch.undo()
    sweep_jobs(ledger, settings)
    assert not (settings.home / "jobs" / "left").exists()


def sweep_with_an_upload(ledger: JobLedger, settings: Settings, name: str) -> None:
    """Sweep a directory whose upload became no job."""
    directory(settings.home, name, "input.csv", ABANDONED_SECONDS + 60)
    sweep_jobs(ledger, settings)


def test_unpacked_input_of_an_ended_job_is_removed(ledger: JobLedger, settings: Settings) -> None:
    accept(ledger, "old", 1.0)
    own = directory(settings.home, "old", "unpacked-1")
    ledger.client.hset(f"{keys.JOB}old", "expires_at", "1.0")
    sweep_jobs(ledger, settings)
    assert own.exists()
    assert not [*own.iterdir()]
