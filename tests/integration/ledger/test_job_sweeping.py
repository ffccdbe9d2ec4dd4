"""Files of jobs go with their jobs, and what nobody made a job of goes after an hour."""

import os
import time
from pathlib import Path

import pytest
import redis

from tasks.jobs.job import Order, Place
from tasks.jobs.ledger import JobLedger
from tasks.jobs.places import JobDirectory
from tasks.ledger import keys
from tasks.settings import Settings
from workers.jobs.sweeping import ABANDONED, sweep

ORDER = Order(model="m", version=1, input=Place(uri="/in.csv"), output=Place(uri="/out.csv"))


@pytest.fixture
def ledger(client: redis.Redis, tmp_path: Path) -> JobLedger:
    return JobLedger(client, Settings(home=tmp_path, redis_url="redis://none"))


def directory(home: Path, name: str, file: str = "input.csv", age: float = 0.0) -> Path:
    """Of a job, with a file that was written so many seconds ago."""
    path = JobDirectory(home, name).path
    path.mkdir(parents=True)
    (path / file).touch()
    for written in (path / file, path):
        os.utime(written, (time.time() - age,) * 2)
    return path


def test_a_job_is_forgotten_with_its_files(ledger: JobLedger, tmp_path: Path) -> None:
    for name in ("old", "bad", "young"):
        ledger.create(name, ORDER)
        ledger.cancel(name)
        directory(tmp_path, name, "output")
    for name in ("old", "bad"):
        ledger.client.hset(keys.JOB + name, "expires_at", "1.0")
    ledger.client.hset(f"{keys.JOB}bad", "report", b"no report")
    sweep(ledger, tmp_path)
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["young"]
    assert ledger.oldest(9) == ["young"]


def test_the_clock_of_the_host_ends_nothing(
    ledger: JobLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.create("a", ORDER)
    kept = directory(tmp_path, "a")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 1e9)
    sweep(ledger, tmp_path)
    assert kept.exists()
    job = ledger.job("a")
    assert job
    assert job.status == "validating"


def test_uploads_of_no_job_go_when_nobody_writes_to_them(ledger: JobLedger, tmp_path: Path) -> None:
    late = ABANDONED + 60
    ledger.create("known", ORDER)
    gone = directory(tmp_path, "gone", age=late)
    for name, file, age in (
        ("known", "input.csv", late),
        ("written", "input.csv", 0.0),
        ("computed", "output", late),  # perhaps another Redis knows it
    ):
        directory(tmp_path, name, file, age)
    (tmp_path / "jobs" / "file").touch()
    sweep(ledger, tmp_path)
    assert not gone.exists()
    left = sorted(path.name for path in (tmp_path / "jobs").iterdir())
    assert left == ["computed", "file", "known", "written"]
