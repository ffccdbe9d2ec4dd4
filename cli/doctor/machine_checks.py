"""Checks of the machine: disk, inodes, threads and open files."""

import os
import resource
import shutil
from functools import partial
from pathlib import Path

import psutil

from api.server import MAX_CONNECTIONS, RESERVED_DESCRIPTORS
from cli.doctor.finding import Check, Observation, graded_low
from tasks.settings import Settings

FEW_INODES, NO_INODES = 0.1, 0.01
"""Shares of a file system's inodes that are free."""
FEW_THREADS = 512
"""Threads that a user may still start; a stack on eight cores has about 200."""
FEW_FILES, TOO_FEW_FILES = MAX_CONNECTIONS + RESERVED_DESCRIPTORS, 1024
"""Open files of a process: the API has one for each connection."""
_DISK = "docs/operations.md#a-full-disk"
_LIMITS = "docs/doctor.md#limits-of-processes"


def machine_checks(home: Path, up: int) -> list[Check]:
    """Checks of the disk of a home, and of the limits of a process, such as that of `up`."""
    disk = next(path for path in (home, *home.parents) if path.exists())
    return [
        Check("disk", "docs/runbooks/disk-low.md", partial(_disk, disk)),
        Check("inodes", _DISK, partial(_inodes, disk)),
        Check("threads", _LIMITS, partial(_threads, up)),
        Check("open files", _LIMITS, partial(_open_files, up)),
    ]


def _disk(path: Path) -> Observation:
    free, spare = shutil.disk_usage(path).free, Settings.from_environment().spare_bytes
    text = f"{free / 2**30:,.1f} GiB free, of which {spare / 2**30:,.1f} GiB are the reserve"
    remedy = f"Make space on the disk of {path}."
    # Rewriting its log may take Redis as much again for a moment.
    return Observation(graded_low(free, warn=2 * spare, fail=spare), text, remedy)


def _inodes(path: Path) -> Observation:
    found = os.statvfs(path)
    if not found.f_files:  # as on Btrfs
        return Observation("pass", "the file system does not limit them")
    share = found.f_favail / found.f_files
    level = graded_low(share, warn=FEW_INODES, fail=NO_INODES)
    remedy = f"Remove small files from the disk of {path}, such as old job directories."
    return Observation(level, f"{share:.0%} free", remedy)


def _threads(pid: int) -> Observation:
    most, _ = psutil.Process(pid).rlimit(psutil.RLIMIT_NPROC)
    if most == resource.RLIM_INFINITY:
        return Observation("pass", "not limited for this user")
    used = _threads_of_user()
    remedy = "Raise the limit of the user's processes (ulimit -u), and start the stack again."
    level = graded_low(most - used, warn=FEW_THREADS, fail=0)
    return Observation(level, f"{used:,} of {most:,} that this user may have", remedy)


def _threads_of_user() -> int:
    found = [each.info for each in psutil.process_iter(["uids", "num_threads"])]
    own = [each for each in found if each["uids"] and each["uids"].real == os.getuid()]
    return sum(each["num_threads"] or 0 for each in own)


def _open_files(pid: int) -> Observation:
    # The API raises its own limit as far as this one allows.
    _, most = psutil.Process(pid).rlimit(psutil.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return Observation("pass", "not limited")
    level = graded_low(most, warn=FEW_FILES, fail=TOO_FEW_FILES)
    remedy = "Raise the hard limit of open files (ulimit -Hn), and start the stack again."
    return Observation(level, f"{most:,} for each process", remedy)
