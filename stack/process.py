"""One process of the stack: how it starts, how it is seen to work, how it dies."""

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
"""Where all start, so that no package in the caller's directory shadows ours."""

SHORTEST_DELAY, LONGEST_DELAY = 0.2, 5.0
"""Seconds before a restart; doubled each time the process did not live for `STEADY` seconds."""
STEADY = 10.0
TAIL = 10
"""Lines of the log that are shown when a process dies."""
LONGEST_TAIL = 8192
"""Bytes of all these: native code may write a line without end."""


class Program(msgspec.Struct, frozen=True):
    """What to run, and how to see that it works."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = {}
    """Added to our own."""
    ready: Callable[[], str | None] = lambda: "started"
    """One line to show once it works, ``None`` before; asked often, so it must be quick."""
    relieves: Callable[[int], bool] | None = None
    """Whether a second one beside it, of this pid, works; then the first may end."""
    reloads: bool = False
    """Whether it replaces its processes by itself on SIGHUP."""


class Process:
    """A program and its present incarnation, which leads a session of its own."""

    def __init__(self, program: Program, log: Path | None) -> None:
        """Start it; output is appended to ``log``, or goes where ours goes."""
        self.program, self.log, self.ready = program, log, False
        self._delay = 0.0
        self.start()

    @property
    def group(self) -> int:
        return self._popen.pid

    @property
    def code(self) -> int | None:
        """Exit code once its death was noticed, negative for a signal."""
        return self._popen.returncode

    def start(self) -> None:
        self._started = time.monotonic()
        with self.log.open("ab") if self.log else nullcontext() as output:
            self._popen = subprocess.Popen(
                self.program.command,
                cwd=ROOT,
                env={**os.environ, **self.program.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
            )

    def running(self) -> bool:
        """Whether it runs; once it does not, what is left of its group is ended, too."""
        if self.code is not None:
            return False
        # Looked at without reaping: until then nobody else can be given the group's number.
        if os.waitid(os.P_PID, self.group, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return True
        self.kill()
        return False

    def terminate(self) -> None:
        """Ask it to end; its children are its own business."""
        self._popen.terminate()

    def reload(self) -> None:
        """Ask it to replace its processes."""
        self._popen.send_signal(signal.SIGHUP)

    def children(self) -> set[int]:
        """Its own processes, none of their children."""
        with suppress(psutil.NoSuchProcess):
            return {child.pid for child in psutil.Process(self.group).children()}
        return set()

    def kill(self) -> None:
        """End the whole group at once."""
        if self.code is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)
            self._popen.wait()

    def postpone(self) -> float:
        """Plan the restart; gives the seconds until then."""
        now = time.monotonic()
        again = 2 * self._delay if now - self._started < STEADY else 0.0
        self._delay = min(max(again, SHORTEST_DELAY), LONGEST_DELAY)
        self._due = now + self._delay
        return self._delay

    def due(self) -> bool:
        """Whether the planned restart is to happen now."""
        return time.monotonic() >= self._due

    def tail(self) -> str:
        """The last lines that it wrote, indented."""
        lines = _end_of(self.log).splitlines() if self.log else []
        return "".join(f"\n  | {line}" for line in lines[-TAIL:])

    def obituary(self) -> str:
        """How it died, and its last lines."""
        code = self.code or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"{self.program.name} died ({how}){self.tail()}"


def _end_of(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(log.stat().st_size - LONGEST_TAIL, 0))
        return file.read(LONGEST_TAIL).decode(errors="replace")
