"""The supervisor runs the workers that the registry asks for, whatever dies meanwhile."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry.deploying.deploying import Deploying
from registry.deployments.deployment import Deployment, Scaling
from registry.store import Registry
from stack.deployed import DeployedWorkers
from stack.process import Process, Program
from stack.supervisor import Supervisor
from tests.support.models import described

NAME = "m@production"
WITHIN = 20.0
WAITS = "import time; time.sleep(60)"


class Bench:
    """A supervisor, the registry that it follows, and programs that only wait."""

    def __init__(self, home: Path, supervisor: Supervisor) -> None:
        self.registry, self.supervisor, self.works = Registry(home), supervisor, True
        self.registry.add("m", described(b"one"), b"one")
        self.deploying, self.told = Deploying(self.registry), list[str]()
        watched = Registry(home)  # of its own, as in another process
        self.workers = DeployedWorkers(supervisor, watched, self.program, self.told.append)

    def program(self, deployment: Deployment) -> Program:
        command = (sys.executable, "-c", WAITS, str(deployment.concurrency))
        return Program(deployment.reference, command, relieves=self.relieves)

    def relieves(self, _pid: int) -> bool:
        return self.works

    @property
    def process(self) -> Process:
        return self.supervisor.added[NAME]

    def until(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            self.workers.tend()
            return condition()

        self.supervisor.until(look, WITHIN)

    def renew_stamp(self) -> None:
        with self.registry.directory.writing():
            pass


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Supervisor(tmp_path / "logs", print) as supervisor:
        yield Bench(tmp_path, supervisor)


def test_worker_runs_as_long_as_its_deployment(bench: Bench) -> None:
    bench.workers.tend()
    assert bench.supervisor.added == {}
    bench.deploying.deploy("m", "production")
    bench.workers.tend()
    first = bench.process
    bench.workers.tend()
    assert bench.process is first, "once is enough"
    bench.deploying.set_state("m", "production", "stopped")
    bench.until(lambda: not first.running())
    bench.deploying.set_state("m", "production", "running")
    bench.workers.tend()
    second = bench.process
    bench.deploying.delete("m", "production")
    bench.until(lambda: not second.running())
    assert bench.supervisor.added == {}


def test_scaled_worker_ends_once_its_successor_works(bench: Bench) -> None:
    bench.deploying.deploy("m", "production")
    bench.workers.tend()
    first, bench.works = bench.process, False
    bench.deploying.scale("m", "production", Scaling(concurrency=2))
    bench.until(lambda: bench.process is not first)
    bench.workers.tend()
    assert first.running()
    bench.works = True
    bench.until(lambda: not first.running())
    assert bench.process.program.command[-1] == "2"


def test_worker_that_dies_at_its_start_is_started_again(bench: Bench) -> None:
    bench.deploying.deploy("m", "production")
    bench.workers.tend()
    before = bench.process.group
    os.kill(before, signal.SIGKILL)
    bench.until(lambda: bench.process.group != before and bench.process.running())


def test_registry_that_cannot_be_read_ends_no_worker(bench: Bench) -> None:
    bench.deploying.deploy("m", "production")
    bench.workers.tend()
    path = bench.registry.home / "models/m/deployments.json"
    content = path.read_bytes()
    path.write_bytes(b"{")
    bench.renew_stamp()
    bench.workers.tend()
    bench.workers.tend()
    assert bench.process.running()
    assert len([line for line in bench.told if "cannot be read" in line]) == 1
    path.write_bytes(content)
    bench.renew_stamp()
    bench.workers.tend()
    assert list(bench.supervisor.added) == [NAME]
