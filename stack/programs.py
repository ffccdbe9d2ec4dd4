"""The programs of a stack, their addresses, and the files by which other commands find it."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from registry.deployments.deployment import Deployment
from stack.http import call_http
from stack.pointers import Pointer, remove_pointer, write_pointer
from stack.process import Program
from stack.running import RunningStack, erase_running_stack, write_running_stack
from tasks.key_files import read_or_make_local_key

FLOWER_TASKS = 10_000
"""Tasks that Flower keeps, 4 kB each with their arguments. Its default of 100,000 took 400 MB."""


def readiness_check(port: int, path: str, line: str) -> Callable[[], str | None]:
    """A readiness check that returns ``line`` once a GET of the path answers 200."""
    return lambda: line if call_http(port, "GET", path).status == 200 else None


class Stack(msgspec.Struct, frozen=True):
    """The programs that `up` runs, except Redis."""

    home: Path
    redis_url: str
    port: int
    flower_port: int | None
    workers: int
    watches: bool = True
    """Whether it evaluates the rules of alerts."""
    trust_uploads: bool = False
    """Whether uploaded models may run code when they are loaded."""
    local_webhooks: bool = False
    """Whether webhooks may have addresses of this machine and of private networks."""
    autoscale: str = ""
    """``1..8``: how many processes compute predictions, as the queue needs; else ``workers``."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def flower_url(self) -> str | None:
        return f"http://127.0.0.1:{self.flower_port}" if self.flower_port else None

    def demo(self) -> Program:
        """The program that trains and registers the demo models."""
        return Program("demo", (sys.executable, "-m", "cli.models.demo"), self._environment())

    def stages(self) -> list[list[Program]]:
        """The serving programs in stages; Flower inspects the workers only once, so it is last."""
        watch = [self._watch()] if self.watches else []
        flower = [self._flower(self.flower_port)] if self.flower_port else []
        first = [self._worker(), self._api(), self._bulk(), self._webhooks()]
        return [first, *filter(None, [watch + flower])]

    def write(self, replaced: int = 0, stayed: Sequence[str] = ()) -> None:
        """Write ``stack.json`` and the pointer, by which other commands find the stack.

        ``replaced``: how often `restart` has replaced the processes. ``stayed``: the names of those
        that it could not replace the last time.
        """
        running = RunningStack(
            pid=os.getpid(),
            url=self.url,
            flower_url=self.flower_url,
            redis_url=self.redis_url,
            replaced=replaced,
            stayed=tuple(stayed),
        )
        write_running_stack(self.home, running)
        write_pointer(self.port, Pointer(running.pid, self.url, str(self.home)))

    def erase(self) -> None:
        """Remove ``stack.json`` and the pointer."""
        erase_running_stack(self.home)
        remove_pointer(self.port)

    def _worker(self) -> Program:
        told = self.autoscale.replace("..", " to ") or str(self.workers)
        ready = readiness_check(self.port, "/ready", f"ready ({told} processes)")
        first = self.autoscale.partition("..")[0] or str(self.workers)
        return self._consumer("worker", "predict", "celery", first, ready)

    def _bulk(self) -> Program:
        """The worker for batch jobs, whose processes run at low priority."""
        return self._consumer("bulk", "bulk", "bulk", str(self.workers), self._bulk_is_ready)

    def _consumer(
        self, name: str, queue: str, node: str, processes: str, ready: Callable[[], str | None]
    ) -> Program:
        options = ("--processes", processes, "--node", node)
        return Program(
            name,
            (sys.executable, "-m", "workers", queue, *options),
            {**self._environment(), **self._metrics()},
            ready,
            relieves=self._is_seen,  # two workers may consume a queue at the same time
        )

    def _webhooks(self) -> Program:
        """The deliverer, which sends events to the addresses that callers named."""
        # Two deliverers may run at the same time: Redis gives each event to one of them.
        command = (sys.executable, "-m", "webhooks")
        return Program("webhooks", command, self._environment(), relieves=lambda _: True)

    def deployed(self, deployment: Deployment) -> Program:
        """The worker of a deployment; another one is wanted once its limits change."""
        return Program(
            deployment.reference,
            (sys.executable, "-m", *worker_arguments(deployment)),
            {**self._environment(), **self._metrics(), **worker_environment(deployment)},
            relieves=self._is_seen,
        )

    def _bulk_is_ready(self) -> str | None:
        # The worker has no address to ask; its heartbeat says that it is ready.
        is_ready = any("bulk" in w["queues"] and w["processes"] for w in self._seen())
        return f"ready ({self.workers} processes)" if is_ready else None

    def _api(self) -> Program:
        return Program(
            "api",
            (sys.executable, "-m", "api.server", "--port", str(self.port)),
            {**self._environment(), **self._metrics()},
            readiness_check(self.port, "/health", "ready"),
            reloads=True,
        )

    def _watch(self) -> Program:
        return Program(
            "watch",
            (sys.executable, "-m", "api.watch", self.url),
            self._environment(),
            relieves=lambda _: True,  # a claim in Redis lets only one of two evaluate
        )

    def _is_seen(self, pid: int) -> bool:
        """Whether a worker with this pid takes messages."""
        return any(worker["pid"] == pid for worker in self._seen())

    def _seen(self) -> list[dict[str, Any]]:
        """The live workers, as the API's `/stats` lists them."""
        key = read_or_make_local_key(self.home).decode()
        answer = call_http(self.port, "GET", "/stats", local_key=key)
        seen: list[dict[str, Any]] = (
            json.loads(answer.body)["workers"] if answer.status == 200 else []
        )
        return seen

    def _flower(self, port: int) -> Program:
        options = ["--address=127.0.0.1", f"--port={port}", f"--max-tasks={FLOWER_TASKS}"]
        return Program(
            "flower",
            (sys.executable, "-m", "celery", "-A", "deploy.guarded_flower", "flower", *options),
            {**self._environment(), **flower_login()},
            readiness_check(port, "/healthcheck", "ready"),
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PREDICTQ_HOME": str(self.home),
            "REDIS_URL": self.redis_url,
            # A process that is killed must not take its last lines with it.
            "PYTHONUNBUFFERED": "1",
            **({"PREDICTQ_AUTOSCALE": self.autoscale} if self.autoscale else {}),
            **({"PREDICTQ_TRUST_UPLOADS": "1"} if self.trust_uploads else {}),
            **({"PREDICTQ_WEBHOOKS_ALLOW_LOCAL": "1"} if self.local_webhooks else {}),
        }

    def _metrics(self) -> dict[str, str]:
        # Not set for Flower, whose own metrics would mix with ours.
        return {"PROMETHEUS_MULTIPROC_DIR": str(self.home / "metrics")}


def worker_arguments(deployment: Deployment, node: str | None = None) -> tuple[str, ...]:
    """The module of a worker, and its arguments for a deployment.

    ``node``: its name before the @ of the host, where each has a host of its own.
    """
    # A plus is in no name, so that no two deployments have the same node.
    node = node or f"{deployment.model}+{deployment.environment}"
    some = ("--processors", f"{deployment.cpu_limit:g}") if deployment.cpu_limit else ()
    processes = ("--processes", str(deployment.concurrency))
    return ("workers", deployment.queue, *processes, "--node", node, *some)


def worker_environment(deployment: Deployment) -> dict[str, str]:
    """The environment variables by which a worker keeps to the limits of a deployment."""
    growth = deployment.process_bytes
    return {"PREDICTQ_PREDICTION_MEMORY": str(growth)} if growth else {}


def flower_login() -> dict[str, str]:
    """Flower's basic auth as environment variables, because command lines are visible to all."""
    user, password = (os.environ.get(f"PREDICTQ_FLOWER_{n}") for n in ("USER", "PASSWORD"))
    if not (user or password):
        return {}
    if not (user and password) or "," in user + password:
        raise click.ClickException(
            "set both PREDICTQ_FLOWER_USER and PREDICTQ_FLOWER_PASSWORD, without commas"
        )
    return {"FLOWER_BASIC_AUTH": f"{user}:{password}"}
