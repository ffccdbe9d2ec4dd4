"""A design under proof: its processes, restarted when they die, and the proxy to Redis."""

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
from benchmarks.harness.processes import Processes, free_port
from benchmarks.prove.faults.proxy import Proxy
from stack.process import Process, Program
from stack.redis import memory as redis_memory

WORKERS = ("worker", "second")
_SKEWED = Path(__file__).parent / "skewed"
_LOOK = 0.1
"""Seconds between two checks of the processes."""


class System(Processes):
    """A candidate with two workers, connected to Redis through a proxy; a context manager.

    Processes that end are restarted after a delay, as by `up`.
    """

    def __init__(self, candidate: Candidate, environment: Mapping[str, str]) -> None:
        self.candidate = candidate
        self.proxy = Proxy(free_port(), candidate.socket)
        added = {"REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0", **environment}
        programs = [program for stage in candidate.stages for program in stage]
        programs = [p if p.name == "redis" else _with(p, added) for p in programs]
        (worker,) = (program for program in programs if program.name == "worker")
        programs.append(_with(worker, {}, name="second", arguments=("--node", "second")))
        super().__init__(programs, candidate.home / "logs")
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        super().__enter__()
        self.proxy.__enter__()
        try:
            self.start("redis")
            self.start("api", *WORKERS, *(["webhooks"] if "webhooks" in self._programs else []))
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
        """The name of the design."""
        return self.candidate.name

    @property
    def has_fork_server(self) -> bool:
        """Whether workers have a fork server, whose children compute."""
        return self.name != "naive"

    def redis(self) -> redis.Redis:
        """A client that bypasses the proxy."""
        return redis.Redis.from_url(self.candidate.redis_url, socket_timeout=5)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the leading process only."""
        _send(self._running[name].group, number)

    def kill(self, name: str) -> None:
        """Send SIGKILL to the leading process, and wait until it is dead."""
        process = self._running[name]
        pid, deadline = process.group, time.monotonic() + 1
        _send(pid, signal.SIGKILL)
        while process.group == pid and process.code is None and time.monotonic() < deadline:
            time.sleep(0.005)

    def family(self, name: str) -> list[psutil.Process]:
        """All descendants of a process, its direct children first."""
        with suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self._running[name].group).children(recursive=True))
        return []

    def computing(self, name: str) -> list[psutil.Process]:
        """The processes of a worker's pool."""
        family = self.family(name)
        return family[1:] if self.has_fork_server else family

    def skew(self, name: str, seconds: float) -> None:
        """Shift the clock of a process from its next start on."""
        process = self._running[name]
        path = os.pathsep.join(filter(None, [str(_SKEWED), os.environ.get("PYTHONPATH")]))
        process.program = _with(process.program, {"PYTHONPATH": path, "PROVE_SKEW": str(seconds)})

    def heal(self) -> None:
        """Undo all lasting faults; dead processes are restarted anyway."""
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
                self._leash.hold(process.group, last=process.program.name == "redis")
        elif not process.running():
            print(f"  {process.crash_report().splitlines()[0]}", file=sys.stderr)
            self._leash.release(process.group)
            process.postpone()

    def _end_all(self) -> None:
        super().__exit__()
        self.proxy.__exit__()
        self.candidate.socket.unlink(missing_ok=True)  # left over by a killed Redis


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
