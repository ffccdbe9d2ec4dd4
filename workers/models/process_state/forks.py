"""Stops children that a model forks and which return from it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopping_forks() -> Iterator[None]:
    """Call a model inside the block.

    A child process that it forked, and which leaves the block, ends there: it would go on as this
    process does, and fork again at the next call.
    """
    pid = os.getpid()
    try:
        yield
    finally:
        if os.getpid() != pid:
            os._exit(0)
