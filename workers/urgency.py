"""Lets batch jobs give way: single predictions have the processors whenever they need them."""

import os
from contextlib import suppress
from pathlib import Path

LEAST_URGENT = 19
"""The system's niceness."""
SESSION = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let this process, and all that it will fork, run when others need not.

    Linux shares the processors evenly among sessions (sched_autogroup), and only within one by
    niceness, so a session that is this worker's alone says the same of itself.
    """
    os.nice(LEAST_URGENT)
    if os.getsid(0) == os.getppid():
        with suppress(OSError):  # not every system has it
            SESSION.write_text(str(LEAST_URGENT))
