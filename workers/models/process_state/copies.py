"""Ends copies of this process that a model forks and which return from it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_copies() -> Iterator[None]:
    """Call a model inside the block.

    A child process that it forked, and which leaves the block, ends there: it would go on as a
    second copy of this process, and fork at the next call again.
    """
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != pid:
            os._exit(0)
