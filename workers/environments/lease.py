"""Leases: an environment that is being made, or that a version will have, is not removed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry.storage.files import make_directory


def lease(directory: Path) -> int:
    """Keep an environment from being removed until the descriptor that is returned is closed.

    The system closes it when the process ends. Waits while the environment is being removed.
    """
    descriptor = _opened(directory)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


@contextmanager
def leased(directory: Path) -> Iterator[None]:
    """Have a `lease` of an environment, which may be absent, within the block."""
    descriptor = lease(directory)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def free_of_leases(directory: Path) -> Iterator[bool]:
    """Whether an environment has no lease; it gets none within the block then."""
    descriptor = _opened(directory)
    try:
        yield _has_none(descriptor)
    finally:
        os.close(descriptor)


def _opened(directory: Path) -> int:
    make_directory(directory.parent)
    return os.open(directory.with_name(f"{directory.name}.lease"), os.O_RDWR | os.O_CREAT, 0o600)


def _has_none(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
