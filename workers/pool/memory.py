"""How much memory a process may take: a share of what there is, and bounds that the kernel keeps.

Bounded is what a process writes to by itself (``RLIMIT_DATA``), be it in use or only reserved.
Beyond it an allocation fails, and whoever cannot go on without it dies; nothing else is touched.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from telemetry.memory import given

MIN_GROWTH_BYTES = 2**30
"""Bytes that each process may grow by, however little there is."""
_DATA = 5
"""Place of the bytes that count, in /proc/self/statm: pages."""


def share_of_one() -> int:
    """Bytes that one of as many processes as there are cores may take of half the memory."""
    return max(given() // 2 // len(os.sched_getaffinity(0)), MIN_GROWTH_BYTES)


def bound(growth: int) -> None:
    """Let this process, and what it starts, grow by so many bytes from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_least(_used() + growth, hard), hard))


@contextmanager
def bounded(growth: int) -> Iterator[None]:
    """The same while something is done; raises `MemoryError` where that takes more."""
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_least(_used() + growth, before), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


def _least(wanted: int, limit: int) -> int:
    return wanted if limit == resource.RLIM_INFINITY else min(wanted, limit)


def _used() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[_DATA])
    except OSError:  # elsewhere than on Linux nobody says
        return 0
    return pages * resource.getpagesize()
