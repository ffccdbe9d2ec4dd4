"""One design under proof: its processes, each started again when it dies, behind the proxy."""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec
import psutil
import redis

from benchmarks.harness.candidates import Candidate
from benchmarks.harness.processes import Processes
from benchmarks.prove.faults.proxy import Proxy
from stack.process import Process, Program
from stack.redis import memory as redis_memory
from stack.redis.server import free_port

WORKERS = ("worker", "second")
_SKEWED = Path(__file__).parent / "skewed"
_LOOK = 0.1
"""Seconds between two looks at the processes."""


class System(Processes):
    """A candidate with two workers, whose way to Redis leads through a proxy; a context.

    What ends is started again after a delay, as `up` does it.
    """

    def __init__(self, candidate: Candidate, environment: Mapping[str, str]) -> None:
        self.candidate = candidate
        self.proxy = Proxy(free_port(), candidate.socket)
        added = {"REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0", **environment}
        programs = [program for stage in candidate.stages for program in stage]
        programs = [p if p.name == "redis" else _with(p, added) for p in programs]
        (worker,) = (program for program in programs if program.name == "worker")
        programs.append(_with(worker, {}, name="second", arguments=("-n", "second@%h")))
        super().__init__(programs, candidate.home / "logs")
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        super().__enter__()
        self.proxy.__enter__()
        try:
            self.start("redis")
            self.start("api", *WORKERS)
        except BaseException:
            self._end_all()
            raise
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._keeper.join()
        self._end_all()

    @property
    def name(self) -> str:
        """Of the design."""
        return self.candidate.name

    @property
    def has_fork_server(self) -> bool:
        """Whether a worker's only child is one, and its children compute."""
        return self.name != "naive"

    def redis(self) -> redis.Redis:
        """A client that passes the proxy by."""
        return redis.Redis.from_url(self.candidate.redis_url, socket_timeout=5)

    def signal(self, name: str, number: signal.Signals) -> None:
        """To the leading process alone."""
        _send(self._running[name].group, number)

    def kill(self, name: str) -> None:
        """SIGKILL to the leading process; returns once it is dead."""
        process = self._running[name]
        pid, deadline = process.group, time.monotonic() + 1
        _send(pid, signal.SIGKILL)
        while process.group == pid and process.code is None and time.monotonic() < deadline:
            time.sleep(0.005)

    def family(self, name: str) -> list[psutil.Process]:
        """All that descend from a process, without it; its own children first."""
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._running[name].group).children(recursive=True))
        return []

    def computing(self, name: str) -> list[psutil.Process]:
        """The processes of a worker's pool."""
        family = self.family(name)
        return family[1:] if self.has_fork_server else family

    def skew(self, name: str, seconds: float) -> None:
        """From its next start on, this process lives by another clock."""
        process = self._running[name]
        path = os.pathsep.join(filter(None, [str(_SKEWED), os.environ.get("PYTHONPATH")]))
        process.program = _with(process.program, {"PYTHONPATH": path, "PROVE_SKEW": str(seconds)})

    def heal(self) -> None:
        """End what lasts of every fault; what is dead is started again anyway."""
        self.proxy.heal()
        for name in self._running:
            for process in (self._running[name].group, *(p.pid for p in self.family(name))):
                _send(process, signal.SIGCONT)
        with suppress(redis.RedisError):
            self.redis().config_set("maxmemory", redis_memory.share())

    def _keep(self) -> None:
        while not self._over.wait(_LOOK):
            for process in self._running.values():
                self._tend(process)

    def _tend(self, process: Process) -> None:
        if process.code is not None:
            if process.due():
                process.start()
                self._leash.hold(process.group)
        elif not process.running():
            print(f"  {process.obituary().splitlines()[0]}", file=sys.stderr)
            self._leash.release(process.group)
            process.postpone()

    def _end_all(self) -> None:
        super().__exit__()
        self.proxy.__exit__()
        self.candidate.socket.unlink(missing_ok=True)  # a Redis that was killed left it


def _with(
    program: Program,
    environment: Mapping[str, str],
    name: str | None = None,
    arguments: tuple[str, ...] = (),
) -> Program:
    return msgspec.structs.replace(
        program,
        name=name or program.name,
        command=(*program.command, *arguments),
        environment={**program.environment, **environment},
    )


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
