"""Memory limits of a process: its share of the machine, enforced by the kernel.

``RLIMIT_DATA`` bounds private writable memory, whether it is in use or only reserved. Beyond the
limit an allocation fails in this process only, which raises `MemoryError` or dies; no other process
is affected, as it would be if the whole machine ran out of memory.
"""

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from telemetry.errors import OutOfMemory
from telemetry.memory import available_memory

MIN_GROWTH_BYTES = 2**30
"""Least growth in bytes that a process gets, however small the machine is."""
MAX_DECODED_BYTES = 2**30
"""Bytes of memory that decoding Parquet or Arrow may take. Encoded data can expand without limit,
and its metadata does not tell how much."""
_DATA = 5
"""Index of the data size in /proc/self/statm, which is in pages."""


def share_of_one() -> int:
    """Bytes that each process may take if one process per core shares half the memory."""
    return max(available_memory() // 2 // len(os.sched_getaffinity(0)), MIN_GROWTH_BYTES)


def bound_growth(growth: int) -> None:
    """Let this process, and those that it starts, grow by at most ``growth`` bytes from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_least(data_bytes() + growth, hard), hard))


def may_grow(growth: int) -> bool:
    """Whether this process may grow by so many bytes."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return limit == resource.RLIM_INFINITY or data_bytes() + growth <= limit


@contextmanager
def bounded(growth: int) -> Iterator[None]:
    """Bound the growth of this process inside the block; Python raises `MemoryError` beyond it."""
    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_least(data_bytes() + growth, before), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (before, hard))


@contextmanager
def within_share() -> Iterator[None]:
    """Call a model inside the block with as much memory as a pool process may take.

    Raises `OutOfMemory` beyond it. Otherwise the kernel would kill the greatest process of the
    machine, whichever that is.
    """
    growth = share_of_one()
    try:
        with bounded(growth):
            yield
    except MemoryError as error:
        raise OutOfMemory(
            f"calling the model takes more than the {growth // 2**20:,} MiB that a process of a "
            "worker may take: give a sample of fewer rows, or let the model answer less"
        ) from error


def give_back_memory() -> None:
    """Give memory that this process has freed back to the system, where the C library can."""
    with suppress(AttributeError):  # musl has no such function
        ctypes.CDLL(None).malloc_trim(0)


def _least(wanted: int, limit: int) -> int:
    return wanted if limit == resource.RLIM_INFINITY else min(wanted, limit)


def data_bytes() -> int:
    """Private writable memory of this process, in bytes; 0 where only Linux tells."""
    try:
        # Without a buffer, as pool processes look after each microbatch.
        with open("/proc/self/statm", "rb", buffering=0) as file:
            pages = int(file.read().split()[_DATA])
    except OSError:  # only Linux has /proc/self/statm
        return 0
    return pages * resource.getpagesize()
