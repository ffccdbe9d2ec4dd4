"""Ends the supervisor's processes if it is killed itself.

The guard is a separate process that reads a pipe from the supervisor; the pipe's end means that
the supervisor is gone.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TERMINATE_GRACE = 3.0
"""Seconds from SIGTERM to SIGKILL, for all groups together."""

FIRST, LAST = "+", "="
"""Signs of the lines that name a group: whether it ends before the others or after them."""


class Guard:
    """The supervisor's side: tells the guard which process groups to end."""

    def __init__(self, keep: tuple[int, ...] = ()) -> None:
        """``keep``: file descriptors that the guard inherits, and so holds open until it ends."""
        self._keep = keep
        self._groups: dict[int, bool] = {}
        """Process group → whether it ends last."""
        self._guard = self._start()

    def hold(self, group: int, *, last: bool) -> None:
        """Have a group ended with the supervisor; ``last``: only after those that need it."""
        self._groups[group] = last
        self._send(self._line(group))

    def release(self, group: int) -> None:
        """Forget a group that has ended."""
        if group in self._groups:
            del self._groups[group]
            self._send(f"-{group}")

    def restart_if_ended(self) -> None:
        """Start the guard again if it died."""
        if self._guard.poll() is not None:
            self._guard = self._start()

    def close(self) -> None:
        self._guard.communicate()

    def _start(self) -> subprocess.Popen[str]:
        # As arguments, so that it knows the groups even if the supervisor is killed right now.
        known = map(self._line, self._groups)
        return subprocess.Popen(
            [sys.executable, "-m", "stack.guard", *known],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that Ctrl-C does not reach the guard
            pass_fds=self._keep,
        )

    def _line(self, group: int) -> str:
        return f"{LAST if self._groups[group] else FIRST}{group}"

    def _send(self, line: str) -> None:
        with suppress(BrokenPipeError):  # the guard has ended; another one gets all groups
            print(line, file=self._guard.stdin, flush=True)


def follow_supervisor(lines: Iterable[str]) -> tuple[list[int], list[int]]:
    """Read lines of a sign and a group until the pipe ends; ``-`` releases a group.

    Returns the groups left: those that end first, and those that end last.
    """
    left: dict[int, str] = {}
    for line in lines:
        sign, group = line[0], int(line[1:])
        if sign == "-":
            del left[group]
        else:
            left[group] = sign
    first = [group for group, sign in left.items() if sign == FIRST]
    return first, [group for group, sign in left.items() if sign == LAST]


def end(groups: list[int]) -> None:
    """Send SIGTERM to the group leaders, and SIGKILL to the groups after `TERMINATE_GRACE`."""
    deadline = time.monotonic() + TERMINATE_GRACE
    # To the leaders only: they end their children in order. SIGKILL gets what is left of a group.
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
    for groups in follow_supervisor(chain(sys.argv[1:], sys.stdin)):
        end(groups)
