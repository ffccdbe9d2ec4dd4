"""The systems to compare: each has a Redis, an HTTP server and a worker, and the same API.

All use the same Redis with the same settings (append-only file, synced at each write), so that
designs are compared and not durability. All take the same requests at the same paths.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import msgspec
import redis

from benchmarks.harness.processes import Processes, free_port
from cli.up.command import default_workers
from stack.process import Program
from stack.programs import Stack, readiness_check
from stack.redis import server as redis_server
from stack.redis import socket as redis_socket
from tasks.broker import celery_url


class Candidate(msgspec.Struct, frozen=True):
    """A system that can be started."""

    name: str
    port: int
    redis_url: str
    stages: tuple[tuple[Program, ...], ...]
    """Programs by stage; a stage starts when the one before it is ready."""
    home: Path

    @property
    def socket(self) -> Path:
        """The socket of its Redis."""
        return redis_socket.socket_path(self.home / "redis")

    @contextmanager
    def running(self, *names: str) -> Iterator[Processes]:
        """Run all of its processes, or those named, in a context."""
        with Processes(chain.from_iterable(self.stages), self.home / "logs") as processes:
            for stage in self.stages:
                processes.start(*(part.name for part in stage if part.name in names or not names))
            yield processes

    def redis(self) -> redis.Redis:
        """A client of its Redis."""
        return redis.Redis.from_url(self.redis_url)


def naive(home: Path, model: Path) -> Candidate:
    """Flask and `task.delay` as in tutorials: gunicorn 2 x 8, prefork 2, defaults otherwise."""
    server, port = redis_server.prepare_server(home / "redis"), free_port()
    environment = {"REDIS_URL": celery_url(server.url), "MODEL": str(model)}
    size = ("-w", "2", "--threads", "8", "-b", f"127.0.0.1:{port}")
    web = _python("gunicorn", *size, "benchmarks.naive.app:app")
    celery = _python("celery", "-A", "benchmarks.naive.tasks", "worker", "-c", "2")
    worker = Program("worker", celery, environment)
    api = Program("api", web, environment, readiness_check(port, "/health", "ready"))
    return Candidate("naive", port, server.url, ((server.program(),), (worker, api)), home)


def handwritten(home: Path, model: Path) -> Candidate:
    """No task framework: LPUSH, RPOP up to 64, one model call, a pipeline of SETs."""
    server, port = redis_server.prepare_server(home / "redis"), free_port()
    # The same thread limit as in predictq's worker.
    environment = {"REDIS_URL": server.url, "MODEL": str(model), "OMP_NUM_THREADS": "1"}
    where = ("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port))
    size = ("--workers", "1", "--blocking-threads", "32", "--no-ws")
    web = _python("granian", *where, *size, "benchmarks.handwritten.app:app")
    worker = Program("worker", _python("benchmarks.handwritten.worker"), environment)
    api = Program("api", web, environment, readiness_check(port, "/health", "ready"))
    return Candidate("hand-written", port, server.url, ((server.program(),), (worker, api)), home)


def predictq(home: Path, *, flower: bool = False, workers: int | None = None) -> Candidate:
    """The processes that `up` starts, over a home with models."""
    server = redis_server.prepare_server(home / "redis")
    flower_port = free_port() if flower else None
    port = free_port()
    stack = Stack(home, server.url, port, flower_port, workers or default_workers())
    (home / "metrics").mkdir(exist_ok=True)
    stages = ((server.program(),), *map(tuple, stack.stages()))
    name = "predictq, with Flower" if flower else "predictq"
    return Candidate(name, port, server.url, stages, home)


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return sys.executable, "-m", module, *arguments
