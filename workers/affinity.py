"""Keeps a process, and all that it starts, to some of the processors.

This is no quota: other processes may use the same processors, and two deployments may share them.
"""

import math
import os
import zlib


def keep_to(processors: float, name: str) -> None:
    """Use at most so many processors, rounded up; ``name`` decides which, so that names spread."""
    there = sorted(os.sched_getaffinity(0))
    many, first = min(math.ceil(processors), len(there)), zlib.crc32(name.encode())
    os.sched_setaffinity(0, {there[(first + n) % len(there)] for n in range(many)})
