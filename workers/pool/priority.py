"""Low CPU and disk priority for batch jobs, so that single predictions run first."""

import ctypes
import os
import platform
import struct
from contextlib import suppress
from pathlib import Path

import psutil

MAX_NICENESS = 19
"""Highest niceness, which is the lowest CPU priority."""
LOWEST_IO_PRIORITY = 7
"""Lowest best-effort I/O priority; Linux derives the same from that niceness by default."""
AUTOGROUP_FILE = Path("/proc/self/autogroup")
MAX_SLICE_NS = 100_000_000
"""Scheduler slice in nanoseconds, the longest that Linux grants. Tasks with a shorter slice preempt
this one as soon as they wake up; they do not wait for its end."""
SCHED_SETATTR = {"x86_64": 314, "aarch64": 274}
"""System call number by machine, as Python does not wrap this call."""


def lower_priority() -> None:
    """Give this process, and all that it forks, the lowest priority.

    With ``sched_autogroup`` Linux shares CPU time evenly among sessions, and applies niceness only
    within a session. If this worker has a session of its own, that session gets the niceness too.
    """
    os.nice(MAX_NICENESS)
    # In the session of a shell, the niceness would slow the user's other programs, too.
    if os.getsid(0) == os.getppid():
        with suppress(OSError):  # not every Linux has sched_autogroup
            AUTOGROUP_FILE.write_text(str(MAX_NICENESS))
    _be_interrupted()


def _be_interrupted() -> None:
    """Let waking tasks preempt this process at once, not at the next tick (decision 0025)."""
    fields = 48, os.SCHED_OTHER, 0, MAX_NICENESS, 0, MAX_SLICE_NS, 0, 0
    attributes = struct.pack("=IIQiIQQQ", *fields)  # struct sched_attr, its first version
    if number := SCHED_SETATTR.get(platform.machine()):
        ctypes.CDLL(None).syscall(number, 0, attributes, 0)
    with suppress(OSError, psutil.Error):  # not every sandbox allows it
        # Linux treats a processor that runs only SCHED_IDLE tasks as idle when it places a task.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        # SCHED_IDLE also implies the idle I/O class. Our delayed writes could then hold up those of
        # Redis, so set the lowest best-effort class instead.
        psutil.Process().ionice(psutil.IOPRIO_CLASS_BE, LOWEST_IO_PRIORITY)
