"""A process that has imported the libraries of a stack, and forks the stack's programs.

`python -m tests.support.zygote.zygote FD`: FD is a socket to the tests. A worker and an API spend
most of their start on imports of libraries; forked, they have them. What is forked imports our own
modules anew, so that it runs as `python -m MODULE` would: a process with its own pid and session,
whose standard streams, environment and working directory are those that the request names.
"""

import gc
import os
import runpy
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import msgspec
import psutil

from tests.support.zygote.fork_server_seed import plant
from workers.short_imports import shorten_imports

LIBRARIES = (
    *("celery.apps.worker", "celery.worker.consumer", "celery.backends.redis"),
    *("kombu.transport.redis", "prometheus_client.multiprocess", "psutil", "redis", "structlog"),
    *("flask", "granian.server.mp", "a2wsgi", "uvloop"),
    *("joblib", "numpy", "pandas", "pyarrow.parquet"),
    *("sklearn.compose", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline"),
)
"""Libraries that workers, fork servers and the API import, and whose imports start no thread."""
MAX_REQUEST_BYTES = 2**17
"""Largest request in bytes; most of it is an environment."""


OPEN_FILES = 256
"""More than are open here when it forks."""


class Run(msgspec.Struct, frozen=True, tag=True):
    """Fork a process that runs a module. Answered: its pid.

    Passed with the request: the descriptor of its log, or those of its output and its errors.
    """

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: str


class Look(msgspec.Struct, frozen=True, tag=True):
    """Answered: 1 if the process has ended, else 0. It stays a zombie, so its pid stays taken."""

    pid: int


class Reap(msgspec.Struct, frozen=True, tag=True):
    """Wait for the end of a process. Answered: its exit code, negative for a signal."""

    pid: int


def main() -> None:
    """Serve requests until the tests hang up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the tests, and they hang up
    shorten_imports()
    for library in LIBRARIES:
        import_module(library)
    assert psutil.Process().num_threads() == 1, "a process with threads cannot be forked"
    gc.collect()
    gc.freeze()  # a collection would copy the memory pages that all share
    requests = socket.socket(fileno=int(sys.argv[1]))
    while (received := socket.recv_fds(requests, MAX_REQUEST_BYTES, 2))[0]:
        match msgspec.json.decode(received[0], type=Run | Look | Reap):
            case Run() as run:
                streams = received[1]
                answer = os.fork()
                if answer == 0:
                    requests.close()
                    become(run, *streams)
                    return
                for stream in streams:
                    os.close(stream)
            case Look(pid):
                ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                answer = int(ended is not None)
            case Reap(pid):
                answer = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        requests.send(str(answer).encode())


def become(run: Run, *streams: int) -> None:
    """Run a module as a program of its own."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(streams[0], 1)
    os.dup2(streams[-1], 2)
    os.closerange(3, OPEN_FILES)
    os.chdir(run.directory)
    os.environ.clear()
    os.environ.update(run.environment)
    if run.module == "workers":
        plant()
    sys.argv = [run.module, *run.arguments]
    runpy.run_module(run.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
