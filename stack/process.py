"""One process of the stack: its start, readiness check, restart and end."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

import msgspec
import psutil

ROOT = Path(__file__).resolve().parent.parent
"""Working directory of all processes, so that no package in the caller's shadows ours."""

MIN_DELAY, MAX_DELAY = 0.2, 5.0
"""Seconds before a restart; doubled each time the process ran for less than `STEADY_SECONDS`."""
STEADY_SECONDS = 10.0
TAIL_LINES = 10
"""Lines of the log to show when a process dies."""
MAX_TAIL_BYTES = 8192
"""Bytes of the log to read for them, as native code may write an endless line."""


class Program(msgspec.Struct, frozen=True):
    """A command, and how to check that it works."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = {}
    """Variables in addition to our own."""
    ready: Callable[[], str | None] = lambda: "started"
    """Polled readiness check: a line to show once it works, ``None`` before. It must be quick."""
    relieves: Callable[[int], bool] | None = None
    """Whether a second process with this pid works, so that the first one may end."""
    reloads: bool = False
    """Whether the program replaces its own processes on SIGHUP."""


class Process:
    """A program and its current process, which leads a session of its own."""

    def __init__(self, program: Program, log: Path | None) -> None:
        """Start it. Output is appended to ``log``, or goes to our own output without one."""
        self.program, self.log, self.ready = program, log, False
        self._delay = 0.0
        self.start()

    @property
    def group(self) -> int:
        return self._popen.pid

    @property
    def code(self) -> int | None:
        """Exit code, negative for a signal; None until `running` has noticed the end."""
        return self._popen.returncode

    def start(self) -> None:
        self._started = time.monotonic()
        with self.log.open("ab") if self.log else nullcontext() as output:
            self._popen = subprocess.Popen(
                self.program.command,
                cwd=ROOT,
                env={**os.environ, **self.program.environment},
                stdin=subprocess.DEVNULL,  # otherwise a program could read the input of `up`
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                # A group of its own can be killed as a whole, and Ctrl-C does not reach it: the
                # supervisor stops the programs in order.
                start_new_session=True,
            )

    def running(self) -> bool:
        """Whether it runs. If it has ended, the rest of its process group is killed too."""
        if self.code is not None:
            return False
        # WNOWAIT does not reap: until the process is reaped, its pid cannot be reused, so the
        # group that is killed next is surely ours.
        if os.waitid(os.P_PID, self.group, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        self.kill()
        return False

    def terminate(self) -> None:
        """Send SIGTERM; the program ends its own children."""
        self._send(signal.SIGTERM)

    def reload(self) -> None:
        """Send SIGHUP, on which it replaces its processes."""
        self._send(signal.SIGHUP)

    def children(self) -> set[int]:
        """Pids of its direct children."""
        with suppress(psutil.NoSuchProcess):
            return {child.pid for child in psutil.Process(self.group).children()}
        return set()

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        if self.code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)
            self._popen.wait()

    def _send(self, number: signal.Signals) -> None:
        # Not by `Popen.send_signal`, which reaps a leader that has just ended: what is left of its
        # group could not be killed any more.
        if self.running():
            os.kill(self.group, number)

    def postpone(self) -> float:
        """Schedule the restart; returns the seconds until then."""
        now = time.monotonic()
        again = 2 * self._delay if now - self._started < STEADY_SECONDS else 0.0
        self._delay = min(max(again, MIN_DELAY), MAX_DELAY)
        self._due = now + self._delay
        return self._delay

    def due(self) -> bool:
        """Whether the scheduled restart is due."""
        return time.monotonic() >= self._due

    def tail(self) -> str:
        """The last lines of its log, indented."""
        lines = _end_of(self.log).splitlines() if self.log else []
        return "".join(f"\n  | {line}" for line in lines[-TAIL_LINES:])

    def crash_report(self) -> str:
        """Its exit code or signal, and the last lines of its log."""
        code = self.code or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"{self.program.name} died ({how}){self.tail()}"


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - MAX_TAIL_BYTES, 0))
        return file.read(MAX_TAIL_BYTES).decode(errors="replace")
