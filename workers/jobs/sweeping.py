"""Forgets jobs whose time is over, with their files."""

import shutil
import time

from tasks.jobs.ledger import JobLedger
from tasks.jobs.places import JobDirectory
from tasks.settings import Settings

MOST = 100
"""Jobs that are looked at in one go, the oldest."""


def sweep(ledger: JobLedger, settings: Settings) -> None:
    """Forget what ended long ago; what has taken too long ends."""
    now = time.time()
    for job in ledger.jobs(ledger.oldest(MOST)):
        if job is None or job.expires_at > now:
            continue
        if job.has_ended:
            shutil.rmtree(JobDirectory(settings.home, job.id).path, ignore_errors=True)
            ledger.forget(job.id)
        else:
            ledger.expire(job.id)
