"""Programs of a stack that the zygote forks, for tests that start many and test no start."""

import os
import signal
import socket
import subprocess
import sys
from functools import cache
from typing import Any

import msgspec

from stack.process import ROOT, Process, Program
from tests.measurement import COVERAGE_OF_CHILDREN
from tests.support.zygote.zygote import Look, Reap, Run
from workers.pool.fork_server_client import NO_THREAD, ONE_HEAP, ONE_THREAD


class Zygote:
    """The handle on the zygote, which ends when the tests do."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fixed = {"PYTHONUNBUFFERED": "1", "PROMETHEUS_MULTIPROC_DIR": os.devnull}
        # Measured, it would hand its handler of SIGTERM to what it forks.
        usual = {n: v for n, v in os.environ.items() if n != COVERAGE_OF_CHILDREN}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.zygote.zygote", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                # Libraries read these when they are imported.
                env={**usual, **ONE_THREAD, **NO_THREAD, **ONE_HEAP, **fixed},
            )

    def ask(self, request: Run | Look | Reap, *streams: int) -> int:
        """Send a request, with the descriptors that go with it, and return the answer."""
        socket.send_fds(self._requests, [msgspec.json.encode(request)], streams)
        return int(self._requests.recv(100))


@cache
def zygote() -> Zygote:
    """The zygote of this process of pytest, started when it is first needed."""
    return Zygote()


class ForkedProcess(Process):
    """A program that the zygote forks. The zygote is its parent, and asked for its end."""

    def start(self) -> None:
        """See `Process`."""
        assert self.log is not None
        _, _, module, *arguments = self.program.command
        environment = {**os.environ, **self.program.environment}
        run = Run(module, arguments, environment, str(ROOT))
        with self.log.open("ab") as log:
            self._popen: Any = _Forked(zygote().ask(run, log.fileno()))

    def running(self) -> bool:
        """See `Process`."""
        if self.code is None and zygote().ask(Look(self.group)):
            self.kill()  # the rest of the process group
        return self.code is None


class _Forked:
    """What `Process` needs of a `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def wait(self) -> None:
        if self.returncode is None:
            self.returncode = zygote().ask(Reap(self.pid))

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


def can_be_forked(program: Program) -> bool:
    """Whether a program is a Python module that starts with nothing but what the zygote has."""
    is_module = program.command[:2] == (sys.executable, "-m")
    return is_module and "PYTHONPATH" not in program.environment
