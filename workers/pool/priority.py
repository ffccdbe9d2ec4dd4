"""Lets batch jobs give way: single predictions have the processors whenever they need them."""

import ctypes
import os
import platform
import struct
from contextlib import suppress
from pathlib import Path

import psutil

LEAST_URGENT = 19
"""The system's niceness."""
LEAST_URGENT_WRITES = 7
"""What belongs to it where nobody says otherwise."""
SESSION = Path("/proc/self/autogroup")
LONG_SLICE = 100_000_000
"""Nanoseconds, the most that Linux grants; it is what others may interrupt, not what they wait."""
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""Number of the system call, by machine: Python has no name for it."""


def give_way() -> None:
    """Let this process, and all that it will fork, run when others need not.

    Linux shares the processors evenly among sessions (sched_autogroup), and only within one by
    niceness, so a session that is this worker's alone says the same of itself.
    """
    os.nice(LEAST_URGENT)
    if os.getsid(0) == os.getppid():
        with suppress(OSError):  # not every system has it
            SESSION.write_text(str(LEAST_URGENT))
    _be_interrupted()


def _be_interrupted() -> None:
    """Whoever wakes up runs at once, and not at the next tick (decision 0025)."""
    fields = 48, os.SCHED_OTHER, 0, LEAST_URGENT, 0, LONG_SLICE, 0, 0
    attributes = struct.pack("=IIQiIQQQ", *fields)  # struct sched_attr, its first version
    if number := SCHED_SETATTR.get(platform.machine()):
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
    with suppress(OSError, psutil.Error):  # not every sandbox allows it
        # Who wakes up is given a processor that has nothing else to do as if it had nothing at all.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        # That policy puts off what is written as well, and what Redis writes may wait for it.
        psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, LEAST_URGENT_WRITES)
