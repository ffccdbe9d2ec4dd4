"""What every process of a stack takes, looked at again and again from outside."""

import time
from collections import defaultdict
from contextlib import suppress

import msgspec
import psutil

from benchmarks.harness.processes import Processes

Key = tuple[str, int]
"""What a process is called, and its pid: another one in its place is another."""


class Sample(msgspec.Struct, frozen=True):
    """One look at a process."""

    at: float
    """Seconds since the first look."""
    pss: int
    """Bytes of memory, pages that are shared counted by their share."""
    descriptors: int
    threads: int


class Sampler:
    """Looks at all processes of a stack, and keeps what it saw."""

    def __init__(self, processes: Processes, names: list[str]) -> None:
        self._processes, self._names = processes, names
        self._began = time.monotonic()
        self.seen: dict[Key, list[Sample]] = defaultdict(list)

    def look(self) -> None:
        """Take one sample of each."""
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
