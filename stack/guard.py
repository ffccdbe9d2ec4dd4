"""Ends the processes of a supervisor that was itself killed: it holds the other end of a pipe."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TERMINATE_GRACE = 3.0
"""Seconds that groups have after SIGTERM, all together."""


class Leash:
    """The supervisor's end: tells the guard what to end when the supervisor is gone."""

    def __init__(self, keep: tuple[int, ...] = ()) -> None:
        """``keep``: file descriptors that stay open until the guard's work is done."""
        self._keep = keep
        self._groups: list[int] = []
        self._guard = self._start()

    def hold(self, group: int) -> None:
        self._groups.append(group)
        self._tell(f"+{group}")

    def release(self, group: int) -> None:
        if group in self._groups:
            self._groups.remove(group)
            self._tell(f"-{group}")

    def mend(self) -> None:
        """Start the guard again if it died."""
        if self._guard.poll() is not None:
            self._guard = self._start()
            for group in self._groups:
                self._tell(f"+{group}")

    def close(self) -> None:
        self._guard.communicate()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "stack.guard"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # the terminal's Ctrl-C is not for the guard
            pass_fds=self._keep,
        )

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # `mend` tells it all again
            print(line, file=self._guard.stdin, flush=True)


def follow(lines: Iterable[str]) -> list[int]:
    """Read ``+group`` and ``-group`` until the supervisor is gone; gives the groups left then."""
    groups: list[int] = []
    for line in lines:
        change = groups.append if line[0] == "+" else groups.remove
        change(int(line[1:]))
    return groups


def end(groups: list[int]) -> None:
    """SIGTERM to the leaders, SIGKILL to whatever is left of their groups after the grace."""
    deadline = time.monotonic() + TERMINATE_GRACE
    for group in groups:
        with suppress(ProcessLookupError):
            os.kill(group, signal.SIGTERM)
    while any(map(_lives, groups)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def _lives(leader: int) -> bool:
    try:
        os.kill(leader, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    left = follow(sys.stdin)
    end(left[1:])
    end(left[:1])  # what was started first, Redis, is what the others need
