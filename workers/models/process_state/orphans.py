"""Ends the processes that models started, once their pool process has ended. Linux only."""

import ctypes
import sys
from collections.abc import Set as AbstractSet
from contextlib import suppress

import psutil

_SUBREAPER = 36
"""`PR_SET_CHILD_SUBREAPER` of `prctl(2)`: orphans below this process become its children."""


def adopt_orphans() -> None:
    """Become the parent of processes below this one whose own parent ends, in place of init."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1)


class Orphans:
    """Tells what pool processes left behind from what a library started in the fork server."""

    def __init__(self) -> None:
        self._helpers: set[int] = set()

    def keep_helpers(self, pool: AbstractSet[int]) -> None:
        """Never end the present children; ``pool``: pids of pool processes among them."""
        self._helpers = {child.pid for child in psutil.Process().children()} - pool

    def end(self, pool: AbstractSet[int]) -> int:
        """Kill the other children with their descendants; returns how many they were."""
        known = self._helpers | pool
        left = [child for child in psutil.Process().children() if child.pid not in known]
        found = [each for orphan in left for each in (orphan, *_below(orphan))]
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return len(found)


def _below(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [*process.children(recursive=True)]
    return []
