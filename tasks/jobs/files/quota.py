"""The quotas of disk space for the files of batch jobs: of all of them, and of one tenant's."""

import os
import time
from contextlib import suppress
from pathlib import Path

from tasks.callers.caller import DEFAULT_TENANT
from tasks.jobs.files.file_refs import JobDirectory
from tasks.settings import Settings
from telemetry.errors import DiskFull, JobBytesQuota

CACHE_SECONDS = 2.0
"""Seconds for which a sum is cached, since there may be many files."""
EVERY_JOB = ""
"""Stands for all tenants together."""


class Quota:
    """Limits the files of jobs in one home; outputs elsewhere do not count."""

    def __init__(self, settings: Settings) -> None:
        self._home, self._most = settings.home, settings.max_job_bytes
        self._most_of_tenant = settings.tenant_job_bytes
        self._sums: dict[str, tuple[int, float]] = {}
        """Tenant → bytes of its files, and when they were summed."""

    def check(self, more: int = 0, *, tenant: str = DEFAULT_TENANT) -> None:
        """Raise if a quota is used up, or would be by ``more`` bytes.

        `DiskFull` for all jobs; `JobBytesQuota` for those of the tenant, unless it is the default.
        """
        if problem := _excess(self._used(EVERY_JOB), more, self._most):
            raise DiskFull(f"the files of batch jobs {problem} (PREDICTQ_MAX_JOB_BYTES)")
        if self._most_of_tenant is None or tenant == DEFAULT_TENANT:
            return
        if problem := _excess(self._used(tenant), more, self._most_of_tenant):
            raise JobBytesQuota(f"the files of the tenant's batch jobs {problem}")

    def _used(self, tenant: str) -> int:
        used, summed_at = self._sums.get(tenant, (0, 0.0))
        now = time.monotonic()
        if tenant not in self._sums or now - summed_at > CACHE_SECONDS:
            used = sum(map(_sum, self._directories(tenant)))
            self._sums[tenant] = used, now
        return used

    def _directories(self, tenant: str) -> list[Path]:
        jobs = self._home / "jobs"
        if tenant == EVERY_JOB:
            return [jobs]
        with suppress(FileNotFoundError):  # there is no job yet
            found = (JobDirectory(self._home, name) for name in os.listdir(jobs))
            return [each.path for each in found if each.tenant() == tenant]
        return []


def _excess(used: int, more: int, most: int) -> str:
    """How much is too much, in words; empty if it is not."""
    if used + more < most:
        return ""
    take = "would take" if more else "take"
    return (
        f"{take} {(used + more) // 2**20} MiB, and may take {most // 2**20}: "
        "delete jobs that have ended"
    )


def _sum(directory: Path) -> int:
    """Bytes on disk of all files below; files that vanish meanwhile count as 0."""
    total = 0
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    total += _sum(Path(entry.path))
                else:
                    # Blocks, not sizes: files may have holes. A block of `stat` is 512 bytes.
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
