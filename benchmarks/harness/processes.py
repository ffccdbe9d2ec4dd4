"""The processes of one system under load: started, stopped, and what they take by descent."""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from benchmarks.harness.wire import LoadFailed
from stack.guard import Leash
from stack.process import Process, Program

STARTING = 60.0
"""Seconds."""
_pss = re.compile(r"^Pss: +(\d+) kB", re.MULTILINE)


class Processes:
    """Programs by name, each with all its descendants; a context that leaves nothing behind.

    Should it be killed itself, a guard ends what it started.
    """

    def __init__(self, programs: Iterable[Program], logs: Path) -> None:
        self._programs = {program.name: program for program in programs}
        self._logs = logs
        self._running: dict[str, Process] = {}

    def __enter__(self) -> Self:
        self._leash = Leash()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.end(name)
        self._leash.close()

    def start(self, *names: str) -> None:
        """Start these together; returns once each is ready."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in names:
            self._running[name] = Process(self._programs[name], self._logs / f"{name}.log")
            self._leash.hold(self._running[name].group)
        for name in names:
            self._await(self._running[name])

    def end(self, name: str) -> None:
        """At once, with its whole group: nothing of it is needed any more."""
        process = self._running.pop(name)
        process.kill()
        self._leash.release(process.group)

    def cpu(self) -> dict[str, float]:
        """Seconds of CPU that each has taken so far, children that ended included."""
        return {name: sum(map(_cpu, self.tree(name))) for name in self._running}

    def pss(self, name: str) -> int:
        """Bytes of memory, pages that are shared counted by their share."""
        return sum(map(_proportional, self.tree(name)))

    def tree(self, name: str) -> list[psutil.Process]:
        """A process and all that descend from it."""
        root = psutil.Process(self._running[name].group)
        return [root, *root.children(recursive=True)]

    def _await(self, process: Process) -> None:
        deadline = time.monotonic() + STARTING
        while not process.program.ready():
            if not process.running():
                raise LoadFailed(process.obituary())
            if time.monotonic() > deadline:
                raise LoadFailed(f"{process.program.name} is not ready{process.tail()}")
            time.sleep(0.05)


def _cpu(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(sum(process.cpu_times()[:4]))
    return 0.0


def _proportional(process: psutil.Process) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        found = _pss.search(Path(f"/proc/{process.pid}/smaps_rollup").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0
