"""The processes of a system under load: start, stop, CPU and memory with descendants."""

import random
import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil

from benchmarks.harness.wire import LoadFailed
from stack.guard import Guard
from stack.process import Process, Program

PORTS = range(20000, 32000)
"""Below the ephemeral ports: otherwise a reconnecting client could occupy the port itself."""
START_TIMEOUT = 60.0
"""Seconds to become ready."""
_pss = re.compile(r"^Pss: +(\d+) kB", re.MULTILINE)


def free_port() -> int:
    """Find a free port of 127.0.0.1; raises `LoadFailed` if there seems to be none."""
    # At random, as stacks that start at the same time would look at the same port first.
    for port in random.sample(PORTS, 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise LoadFailed("no free port on 127.0.0.1")


class Processes:
    """Programs by name, each with its descendants; exiting the context ends them all.

    If this process is killed, a guard ends them.
    """

    def __init__(self, programs: Iterable[Program], logs: Path) -> None:
        self._programs = {program.name: program for program in programs}
        self._logs = logs
        self._running: dict[str, Process] = {}

    def __enter__(self) -> Self:
        self._leash = Guard()
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.end(name)
        self._leash.close()

    def start(self, *names: str) -> None:
        """Start programs together, and wait until each is ready."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in names:
            self._running[name] = Process(self._programs[name], self._logs / f"{name}.log")
            self._leash.hold(self._running[name].group, last=name == "redis")
        for name in names:
            self._await(self._running[name])

    def end(self, name: str) -> None:
        """Kill a program with its whole process group."""
        process = self._running.pop(name)
        process.kill()
        self._leash.release(process.group)

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each program so far, including ended children."""
        return {name: sum(map(_cpu, self.tree(name))) for name in self._running}

    def pss(self, name: str) -> int:
        """Proportional set size of a program and its descendants, in bytes."""
        return sum(map(_proportional, self.tree(name)))

    def tree(self, name: str) -> list[psutil.Process]:
        """A program's process and all its descendants."""
        root = psutil.Process(self._running[name].group)
        return [root, *root.children(recursive=True)]

    def _await(self, process: Process) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not process.program.ready():
            if not process.running():
                raise LoadFailed(process.crash_report())
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
