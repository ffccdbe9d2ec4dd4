"""The first fork server of a forked worker: forked before the worker starts, as it has no threads.

Later ones, and those in environments of their own, are started as they always are.
"""

import os
import runpy
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import msgspec

FORK_SERVER = "workers.pool.fork_server"
MAX_START_BYTES = 2**17
"""Largest start in bytes; most of it is an environment."""


class Start(msgspec.Struct, frozen=True):
    """What the fork server is started with, beside the descriptor of its control socket."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


def plant() -> None:
    """Fork the process that waits to become the fork server, and have this worker start it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _grow(theirs)
        sys.exit()
    theirs.close()
    client: Any = import_module("workers.pool.fork_server_client")
    client.subprocess = Seeded(ours, pid)


def _grow(starts: socket.socket) -> None:
    """Become the fork server; if the worker ends before it needs one, end."""
    content, descriptors, *_ = socket.recv_fds(starts, MAX_START_BYTES, 1)
    starts.close()
    if content:
        start = msgspec.json.decode(content, type=Start)
        os.environ.clear()
        os.environ.update(start.environment)
        sys.argv = [FORK_SERVER, str(descriptors[0]), *start.arguments]
        runpy.run_module(FORK_SERVER, run_name="__main__", alter_sys=True)


class Seeded:
    """Stands for the module `subprocess` in `workers.pool.fork_server_client`."""

    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self, starts: socket.socket, pid: int) -> None:
        self._starts, self._pid = starts, pid
        self._is_used = False

    def Popen(  # noqa: N802 - the name in `subprocess`
        self, command: list[str], pass_fds: list[int], env: dict[str, str]
    ) -> "subprocess.Popen[bytes]":
        """Start the seed, the first time; afterwards a process as ever."""
        _, _, module, _, *arguments = command
        if self._is_used or module != FORK_SERVER:
            return subprocess.Popen(command, pass_fds=pass_fds, env=env)
        self._is_used = True
        start = msgspec.json.encode(Start(arguments, env))
        socket.send_fds(self._starts, [start], pass_fds)
        self._starts.close()
        return _child(self._pid, command)


def _child(pid: int, command: list[str]) -> "subprocess.Popen[bytes]":
    """The handle on a child that this process forked itself."""
    child = object.__new__(subprocess.Popen)
    vars(child).update(
        pid=pid,
        args=command,
        returncode=None,
        stdin=None,
        stdout=None,
        stderr=None,
        _child_created=True,
        _waitpid_lock=threading.Lock(),
    )
    return child
