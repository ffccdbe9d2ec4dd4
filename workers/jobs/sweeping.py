"""Forgets jobs whose time is over, with their files."""

import logging
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from celery import bootsteps

from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import STOPPED
from tasks.jobs.ledger import JobLedger
from tasks.jobs.messages import BULK
from tasks.ledger.ledger import connect
from tasks.settings import Settings
from workers.jobs.ownership import is_ours

log = logging.getLogger(__name__)
EVERY = 60.0
"""Seconds."""
ABANDONED = 3600.0
"""Seconds after which an upload that nobody writes to, and of which no job was made, is removed."""


class Sweeping(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery has no types
    """A step of the consumer of jobs: it sweeps from time to time, beside the loop."""

    requires = ("workers.celery.consumer:BatchingStep",)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._over = threading.Event()

    def include_if(self, consumer: Any) -> bool:
        """Only where jobs are computed."""
        return BULK in consumer.app.amqp.queues.consume_from

    def start(self, consumer: Any) -> None:
        """Sweep now and every while, with each connection to the broker."""
        self._over = threading.Event()
        threading.Thread(target=_sweep, args=(self._over,), name="sweep", daemon=True).start()

    def stop(self, consumer: Any) -> None:
        """Sweep no more."""
        self._over.set()


def _sweep(over: threading.Event) -> None:
    settings = Settings.from_environment()
    ledger = JobLedger(connect(settings.redis_url), settings)
    while not over.is_set():
        try:
            sweep(ledger, settings)
        except (redis.RedisError, OSError) as error:
            log.warning("jobs cannot be looked through: %s", error)
        over.wait(EVERY)


def sweep(ledger: JobLedger, settings: Settings) -> None:
    """End what has taken too long, forget what ended long ago, and remove what no job has."""
    for job_id in ledger.aged():
        if ledger.sweep(job_id):
            shutil.rmtree(JobDirectory(settings.home, job_id).path, ignore_errors=True)
        else:
            _give_back(ledger, settings.home, job_id)
    jobs = settings.home / "jobs"
    if not jobs.is_dir() or not is_ours(ledger.client, jobs):
        return
    for directory in _abandoned(jobs, settings.job_ttl):
        if not ledger.knows(directory.name):
            fields = {"id": directory.name}
            log.warning("files that are no job's are removed", extra=fields)
            shutil.rmtree(directory, ignore_errors=True)


def _give_back(ledger: JobLedger, home: Path, job_id: str) -> None:
    """Drop what one had unpacked that has ended just now, or while no worker looked."""
    job = ledger.job(job_id)
    if job is not None and job.status in STOPPED:
        JobDirectory(home, job_id).discard_unpacked()


def _abandoned(jobs: Path, job_ttl: float) -> Iterator[Path]:
    """Directories that nobody has written to of late, or for as long as a job is kept."""
    now = time.time()
    for directory in jobs.glob("*/"):
        with suppress(FileNotFoundError):  # where something goes meanwhile, somebody is at work
            files = [*directory.iterdir()]
            written = max(path.lstat().st_mtime for path in (directory, *files))
            uploaded = all(file.name.startswith("input") for file in files)
            if now - written > (ABANDONED if uploaded else job_ttl):
                yield directory
