"""Sweeping: expires jobs that take too long, and deletes old ones with their files."""

import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tasks.jobs.files.file_refs import JobDirectory
from tasks.jobs.job import STOPPED
from tasks.jobs.ledger import JobLedger
from tasks.settings import Settings
from workers.jobs.ownership import is_ours

log = logging.getLogger(__name__)
ABANDONED_SECONDS = 3600.0
"""Seconds without a write after which an upload that became no job is deleted."""


def sweep_jobs(ledger: JobLedger, settings: Settings) -> None:
    """Expire overdue jobs, delete old ones, and delete job directories that belong to no job."""
    # Redis knows these jobs, so their files belong to it; those below may belong to another Redis.
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
            log.warning("files of no job are removed", extra=fields)
            shutil.rmtree(directory, ignore_errors=True)


def _give_back(ledger: JobLedger, home: Path, job_id: str) -> None:
    """Delete the decompressed input of a job that has ended without an output."""
    job = ledger.job(job_id)
    if job is not None and job.status in STOPPED:
        JobDirectory(home, job_id).discard_unpacked()


def _abandoned(jobs: Path, job_ttl: float) -> Iterator[Path]:
    """Directories without writes for the TTL, or for `ABANDONED_SECONDS` if only uploaded."""
    now = time.time()
    for directory in jobs.glob("*/"):
        with suppress(FileNotFoundError):  # a file has just vanished, so the directory is in use
            files = [*directory.iterdir()]
            written = max(path.lstat().st_mtime for path in (directory, *files))
            uploaded = all(file.name.startswith(("input", "tenant")) for file in files)
            if now - written > (ABANDONED_SECONDS if uploaded else job_ttl):
                yield directory
