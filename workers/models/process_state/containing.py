"""Stops children that a model forks and that return from it, and timers that it starts."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SOON = 1e-6
"""Seconds; 0 would stop the timer."""


@contextmanager
def contained() -> Iterator[None]:
    """Call a model inside the block.

    A child process that it forked, and which leaves the block, ends there: it would go on as this
    process does, and fork again at the next call. A timer of this process, such as a time limit,
    goes on as if the model had started none; the model's own would end this process later.
    """
    pid, started = os.getpid(), time.monotonic()
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    try:
        yield
    finally:
        if os.getpid() != pid:
            os._exit(0)
        if left or any(signal.getitimer(signal.ITIMER_REAL)):
            still = max(left - (time.monotonic() - started), _SOON) if left else 0
            signal.setitimer(signal.ITIMER_REAL, still)
