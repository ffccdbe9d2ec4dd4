"""Starts `up`, and waits for its output and its processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.request import ProxyHandler, build_opener

import psutil

from stack.process import ROOT

START_TIMEOUT = 90.0
ENDING = 10.0
TEST_TIMEOUT = 20.0
UP = (sys.executable, "-m", "cli.main", "up")
fetch = build_opener(ProxyHandler({})).open


def eventually(condition: Callable[[], object], within: float) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.2)


def free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]


def descendants(process: psutil.Process) -> list[int]:
    """How many descendants each child has, sorted; from one look at all processes."""
    parents: dict[int, int] = {}
    for each in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            parents[each.pid] = each.ppid()
    counts = Counter({pid: 0 for pid, parent in parents.items() if parent == process.pid})
    counts.update(_child(pid, parents, process.pid) for pid in parents if pid not in counts)
    return sorted(counts.values())


def _child(pid: int, parents: dict[int, int], root: int) -> int:
    """The child of the root that a process descends from."""
    while parents[pid] != root:
        pid = parents[pid]
    return pid


class Up:
    """A running `up` and the lines that it printed."""

    def __init__(self, home: Path, *options: str, within: Sequence[str] = ()) -> None:
        """``within`` is a command to run it under, if any."""
        self.home = home
        self.port, self.flower_port = free_ports()
        ports = ["--port", str(self.port), "--flower-port", str(self.flower_port)]
        environment = {n: v for n, v in os.environ.items() if n != "REDIS_URL"}
        self.output = home.with_suffix(".out")
        with self.output.open("wb") as output:
            self.process = psutil.Popen(
                [*within, *UP, "--home", str(home), *ports, *options],
                cwd=ROOT,
                env={**environment, "FLOWER_UNAUTHENTICATED_API": "true"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.seen: set[psutil.Process] = set()

    def __enter__(self) -> Self:
        """Start it and wait until it is ready."""
        try:
            eventually(self.is_ready, START_TIMEOUT)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "\n".join(self.lines)
        return any(line.startswith("curl ") for line in self.lines)

    def is_whole(self) -> bool:
        """Whether it runs; it starts again what ends."""
        return self.process.poll() is None

    def processes(self) -> list[psutil.Process]:
        """All present descendants; they are remembered for `left_behind`."""
        processes: list[psutil.Process] = self.process.children(recursive=True)
        self.seen.update(processes)
        return processes

    def ask(self) -> dict[str, Any]:
        """Run the printed example in a shell; return the answer, empty if there was none."""
        (line,) = (line for line in self.lines if line.startswith("curl "))
        told = subprocess.run(
            ["bash", "-c", f"{line} --max-time 5"], capture_output=True, check=False
        )
        answer: dict[str, Any] = json.loads(told.stdout or "{}")
        return answer

    def answers(self) -> bool:
        return self.ask().get("status") == "succeeded"

    def tasks(self) -> dict[str, Any]:
        """Flower's tasks by id; empty while Flower is away."""
        try:
            with fetch(f"http://127.0.0.1:{self.flower_port}/api/tasks", timeout=5) as answer:
                listed: dict[str, Any] = json.load(answer)
        except OSError:
            return {}
        return listed

    def result(self, identifier: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/predict/result/{identifier}"
        with fetch(url, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send the signal; return the seconds until `up` ended."""
        self.processes()
        start = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=2 * ENDING)
        return time.monotonic() - start

    def left_behind(self) -> list[psutil.Process]:
        return [p for p in self.seen if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def refusal(home: Path, *options: str) -> str:
    """Run an `up` that must fail at once; return what it printed."""
    told = subprocess.run(
        [*UP, "--home", str(home), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert told.returncode == 1
    return told.stderr
