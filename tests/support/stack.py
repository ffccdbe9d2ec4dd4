"""A whole stack of real processes, as `up` starts them: Redis, a worker, the API."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import psutil
import redis

from benchmarks.harness.processes import free_port
from stack.process import Process
from stack.programs import Stack
from stack.redis import server as redis_server
from stack.redis.server import RedisServer
from tasks.ledger import keys
from tasks.messages import PREDICT_QUEUE
from tests.support.zygote.forked_process import ForkedProcess, can_be_forked

TEST_TIMEOUT = 30.0
"""Seconds that anything here may take before the test fails."""
START_TIMEOUT = 90.0
"""Seconds that a start may take: a worker imports and loads a lot."""
PAUSE = 0.25
"""Seconds between two looks at what starts: a look costs what the start needs."""
Json = dict[str, Any]


def until(
    condition: Callable[[], Any], what: str, within: float = TEST_TIMEOUT, pause: float = 0.05
) -> Any:
    """Poll until the condition is true and return its value; fail after the time limit."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within} s")
        time.sleep(pause)
    return found


def is_idle(client: redis.Redis) -> bool:
    """Whether no message waits, or is held: at one moment, as a message may go back meanwhile."""
    # A script, as a full Redis refuses a transaction, even one that only reads.
    script = "return redis.call('LLEN', KEYS[1]) + redis.call('HLEN', KEYS[2])"
    return client.eval(script, 2, "predict", keys.RESERVED) == 0


class LiveStack:
    """The processes of one home, and an HTTP client for them."""

    def __init__(
        self,
        home: Path,
        environment: dict[str, str],
        processes: int = 2,
        prepare: Callable[[Path], RedisServer] = redis_server.prepare_server,
        forks: bool = False,
    ) -> None:
        self.home = home
        self._forks = forks
        self.server = prepare(home / "redis")
        self.parts = Stack(home, self.server.url, free_port(), None, processes)
        programs = [self.server.program(), *chain.from_iterable(self.parts.stages())]
        self._programs = {program.name: program for program in programs}
        # Tests count messages; a canary would be one more.
        self._environment = {"PREDICTQ_CANARY_INTERVAL": "3600", **environment}
        self._running: dict[str, Process] = {}
        self._groups: set[int] = set()
        self._needed: set[str] = set()
        """Processes without which it is broken."""
        self.http = self._client()

    @property
    def url(self) -> str:
        return self.parts.url

    @cached_property
    def owner(self) -> httpx2.Client:
        """An HTTP client that presents the local key."""
        key = (self.home / "local.key").read_text().strip()
        return self._client({"Authorization": f"Bearer {key}"})

    def _client(self, headers: dict[str, str] | None = None) -> httpx2.Client:
        # There are no certificates here; to read those of all authorities takes 30 ms.
        return httpx2.Client(
            base_url=self.url, trust_env=False, timeout=TEST_TIMEOUT, headers=headers, verify=False
        )

    @property
    def redis_url(self) -> str:
        return self.server.url

    def start(self, *names: str, **environment: str) -> None:
        """Start these processes together and return once each is ready."""
        for name in names:
            self.launch(name, **environment)
        until(lambda: all(map(self._is_ready, names)), f"{names} ready", START_TIMEOUT, PAUSE)

    def launch(self, name: str, **environment: str) -> None:
        """Start one process without waiting until it is ready."""
        program = self._programs[name]
        environment = {**program.environment, **self._environment, **environment}
        program = msgspec.structs.replace(program, environment=environment)
        kind = ForkedProcess if self._forks and can_be_forked(program) else Process
        self._running[name] = kind(program, self.home / "logs" / f"{name}.log")
        self._groups.add(self._running[name].group)

    def _is_ready(self, name: str) -> bool:
        process = self._running[name]
        assert process.running(), process.crash_report()
        return process.program.ready() is not None

    def stop(self, *names: str) -> None:
        """Send SIGTERM to all of them at once, and wait until they end."""
        processes = {name: self._running.pop(name) for name in names}
        for process in processes.values():
            process.terminate()
        for name, process in processes.items():
            until(lambda process=process: not process.running(), f"the end of {name}")

    def launch_second(self, name: str) -> Process:
        """Launch a second process beside the running one; the caller ends the first, returned."""
        first = self._running[name]
        self.launch(name)
        return first

    def kill(self, name: str) -> None:
        """Send SIGKILL to the process alone; as under `up`, its children end after it."""
        process = self._running.pop(name)
        os.kill(process.group, signal.SIGKILL)
        until(lambda: not process.running(), f"the death of {name}")

    def pid(self, name: str) -> int:
        return self._running[name].group

    def is_running(self, name: str) -> bool:
        """Whether the process still runs."""
        return self._running[name].running()

    def is_whole(self) -> bool:
        """Whether all processes run that it began with."""
        return all(name in self._running and self.is_running(name) for name in self._needed)

    def begin(self, *names: str) -> None:
        """Start Redis and then these processes, all of which it needs from now on."""
        self.start("redis")
        self.start(*names)
        self._needed = {"redis", *names}

    def do_without(self, name: str) -> None:
        """Stop a process that it began with; it is whole without it."""
        self.stop(name)
        self._needed.remove(name)

    def pool(self, name: str = "worker") -> list[psutil.Process]:
        """The pool processes of a worker: the children of its fork server."""
        (server,) = psutil.Process(self.pid(name)).children()
        return server.children()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Freeze a process with SIGSTOP inside the context.

        A frozen worker gets nothing: what is submitted waits on the queue.
        """
        with _stopped([psutil.Process(self.pid(name))]):
            if name == "worker":
                with redis.Redis.from_url(self.redis_url) as client:
                    client.delete(keys.IDLE + PREDICT_QUEUE)
            yield

    @contextmanager
    def frozen_pool(self) -> Iterator[None]:
        """Freeze the pool inside the context: the worker takes messages, and none is computed."""
        with _stopped(self.pool()):
            yield

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Collect what is submitted inside the context; all of it starts together at the end."""
        with self.frozen_pool():
            with self.frozen("worker"):
                yield
            until(lambda: self.http.get("/stats").json()["reserved"], "something is taken")

    def end(self) -> None:
        """Stop all processes, Redis last; a process that is left behind fails the test."""
        self.http.close()
        if "owner" in vars(self):
            self.owner.close()
        try:
            self.stop(
                *(name for name in ("webhooks", "bulk", "worker", "api") if name in self._running)
            )
            if "redis" in self._running:
                self.stop("redis")
            until(lambda: not self._left_behind(), "the end of all processes", 5.0)
        finally:
            for pid in self._left_behind():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _left_behind(self) -> list[int]:
        return [pid for pid in psutil.pids() if _session(pid) in self._groups]

    def logs(self, lines: int = 40) -> str:
        """The last log lines of each process."""
        tails = {log.stem: log.read_text().splitlines() for log in (self.home / "logs").iterdir()}
        return "\n".join(
            f"--- {name}\n" + "\n".join(tail[-lines:]) for name, tail in sorted(tails.items())
        )

    def submit(self, model: str, features: Any, method: str = "predict", **fields: Any) -> Json:
        """Submit rows and return the body of the 202."""
        body = {"model": model, "features": features, "method": method, **fields}
        asked = time.time()
        answer = self.http.post("/predict/async", json=body)
        if answer.status_code == 503 and self._was_silent(asked):
            return self.submit(model, features, method, **fields)  # as callers do
        assert answer.status_code == 202, answer.text
        return answer.json()

    def outcome(self, task_id: str, within: float = TEST_TIMEOUT) -> Json:
        """Wait for the terminal answer of an id."""
        path, waiting = f"/predict/result/{task_id}", {"Prefer": "wait=1"}

        def look() -> Json | None:
            asked = time.time()
            answer = self.http.get(path, headers=waiting)
            if answer.status_code == 503 and self._was_silent(asked):
                return None  # retried, as callers do
            assert answer.status_code in (200, 202), answer.text
            return answer.json() if answer.status_code == 200 else None

        return until(look, f"the outcome of {task_id}", within)

    def _was_silent(self, since: float) -> bool:
        """Whether the Redis log says that its disk stalled after this time."""
        with redis.Redis.from_url(self.redis_url) as client:
            return any(
                when >= int(since) for _, when, *_ in client.execute_command("LATENCY LATEST")
            )

    def predict(self, model: str, features: Any, method: str = "predict") -> list[Any]:
        """Submit rows and return their predictions; fail the test when the prediction failed."""
        outcome = self.outcome(self.submit(model, features, method)["id"])
        assert outcome["status"] == "succeeded", outcome
        return outcome["predictions"]

    def outcome_of_stock(self, task_id: str, within: float = TEST_TIMEOUT) -> Json:
        """The outcome of a stock producer's id, unknown until a worker has read the message."""
        path = f"/predict/result/{task_id}"
        until(lambda: self.http.get(path).status_code != 404, f"a record of {task_id}", within)
        return self.outcome(task_id, within)

    def status(self, task_id: str) -> str:
        """The present status of a prediction."""
        answer: str = self.http.get(f"/predict/result/{task_id}").json()["status"]
        return answer

    def serves(self) -> bool:
        """Whether a prediction succeeds now."""
        return self.predict("iris", [5.1, 3.5, 1.4, 0.2]) == [0]


@contextmanager
def running(
    home: Path,
    processes: int = 2,
    prepare: Callable[[Path], RedisServer] = redis_server.prepare_server,
    bulk: bool = False,
    forks: bool = False,
    **environment: str,
) -> Iterator[LiveStack]:
    """A running stack on a home whose models are registered, with this many pool processes.

    With ``forks`` the zygote forks its processes: for tests that start some, and not of starts.
    """
    (home / "logs").mkdir(parents=True)
    (home / "metrics").mkdir()
    stack = LiveStack(home, environment, processes, prepare, forks)
    try:
        stack.begin("api", "worker", *(["bulk"] if bulk else []))
        yield stack
    finally:
        stack.end()


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


@contextmanager
def _stopped(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()
