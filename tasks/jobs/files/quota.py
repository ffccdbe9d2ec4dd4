"""The quota of disk space for the files of batch jobs."""

import os
import time
from contextlib import suppress
from pathlib import Path

from tasks.settings import Settings
from telemetry.errors import DiskFull

CACHE_SECONDS = 2.0
"""Seconds for which a sum is cached, since there may be many files."""


class Quota:
    """Limits the files of all jobs in one home; outputs elsewhere do not count."""

    def __init__(self, settings: Settings) -> None:
        self._jobs, self._most = settings.home / "jobs", settings.max_job_bytes
        # As if summed long ago, so that the first check sums the files.
        self._used, self._summed = 0, -CACHE_SECONDS

    def check(self, more: int = 0) -> None:
        """Raise `DiskFull` if the quota is used up, or would be by ``more`` bytes."""
        if time.monotonic() - self._summed > CACHE_SECONDS:
            self._used = _sum(self._jobs)
            self._summed = time.monotonic()
        used = self._used + more
        if used >= self._most:
            take = "would take" if more else "take"
            raise DiskFull(
                f"the files of batch jobs {take} {used // 2**20} MiB, and may take "
                f"{self._most // 2**20} (PREDICTQ_MAX_JOB_BYTES): delete jobs that have ended"
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
