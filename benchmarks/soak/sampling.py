"""Samples the resources of every process of a stack from outside."""

import time
from collections import defaultdict
from contextlib import suppress

import msgspec
import psutil

from benchmarks.harness.processes import Processes

Key = tuple[str, int]
"""Name and pid of a process, so that a replacement counts as another process."""


class Sample(msgspec.Struct, frozen=True):
    """One sample of a process."""

    at: float
    """Seconds since the first sample."""
    pss: int
    """Proportional set size in bytes."""
    descriptors: int
    threads: int


class Sampler:
    """Samples all processes of a stack."""

    def __init__(self, processes: Processes, names: list[str]) -> None:
        self._processes, self._names = processes, names
        self._began = time.monotonic()
        self.seen: dict[Key, list[Sample]] = defaultdict(list)

    def look(self) -> None:
        """Take one sample of each process."""
        for name in self._names:
            root, *others = self._processes.tree(name)
            self._note((name, root.pid), root)
            for process in others:
                with suppress(psutil.NoSuchProcess):
                    self._note((_title(name, root, process), process.pid), process)

    def _note(self, key: Key, process: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            pss = process.memory_full_info().pss
            sample = Sample(
                time.monotonic() - self._began, pss, process.num_fds(), process.num_threads()
            )
            self.seen[key].append(sample)


def _title(name: str, root: psutil.Process, process: psutil.Process) -> str:
    if process.ppid() == root.pid:
        return f"{name}, child"
    return f"{name}, grandchild"
