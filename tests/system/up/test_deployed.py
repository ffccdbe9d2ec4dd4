"""Deployments under `up`: each state is reached, and a kill in each loses and repeats nothing."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import product
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from cli.main import main
from predictq import Client, Unavailable, Unreachable
from registry.deploying.deploying import Deploying
from registry.deployments.deployment import Scaling
from registry.store import Registry
from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import Doubling, register
from tests.system.up.running_up import TEST_TIMEOUT, Up, eventually

pytestmark = pytest.mark.slow
NAME, ROW = "doubling@production", [1.0, 0.0]
RECOVERY = 3 * TEST_TIMEOUT
ACTS, VICTIMS = ("deploy", "scale", "stop", "delete"), ("worker", "api", "up", "redis")
USUAL = {("deploy", "worker"), ("scale", "up"), ("stop", "redis"), ("delete", "api")}
PAIRS = [
    pytest.param(*pair, marks=[] if pair in USUAL else pytest.mark.exhaustive)
    for pair in product(ACTS, VICTIMS)
]


class Deployed:
    """A stack with one deployment, and all that it accepted."""

    def __init__(self, home: Path) -> None:
        self.home, self.accepted = home, list[str]()
        self._starts = ExitStack()
        self.begin()

    def begin(self) -> None:
        """Start `up`, perhaps again."""
        self.up = self._starts.enter_context(Up(self.home, "--no-flower", "--workers", "1"))
        self.client = Client(f"http://127.0.0.1:{self.up.port}", timeout=30)

    def command(self, *arguments: str) -> str:
        told = CliRunner().invoke(main, [*arguments, "--home", str(self.home)])
        assert told.exit_code == 0, told.output
        return told.stdout

    def submit(self, many: int = 1) -> None:
        self.accepted += [self.client.submit(NAME, ROW).id for _ in range(many)]

    def computed_in(self) -> str | None:
        """The environment that answers now."""
        self.submit()
        answer = self.client.result(self.accepted[-1], wait=TEST_TIMEOUT)
        assert answer.receipt
        environment: str | None = answer.receipt.environment
        return environment

    def state(self) -> dict[str, Any]:
        (found,) = json.loads(self.command("deployments", "status", "--json"))["deployments"]
        return found

    def reaches(self, status: str, processes: int) -> Callable[[], bool]:
        def is_reached() -> bool:
            now = self.state()
            return (now["status"], now["processes"]) == (status, processes)

        return is_reached

    def workers(self) -> list[psutil.Process]:
        """The worker of the deployment, or several while it is replaced."""
        return [
            child
            for child in self.up.process.children()
            if any("predict:" in word for word in child.cmdline())
        ]

    def close(self) -> None:
        self._starts.close()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    home = tmp_path_factory.mktemp("deployed") / "home"
    home.mkdir()
    register(home, "doubling", Doubling(), [ROW])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREDICTQ_VISIBILITY_TIMEOUT", "5")
        deployed = Deployed(home)
        yield deployed
        deployed.close()


def test_deployment_has_workers_of_its_own_once_it_is_made(deployed: Deployed) -> None:
    told = deployed.command("models", "deploy", "doubling:1", "--memory-limit", "512MiB")
    assert told == f"{NAME} is doubling:1, 1 process of its own\n"
    deployed.submit(5)  # the shared workers answer, or its own, whichever take them first
    eventually(deployed.reaches("running", 1), RECOVERY)
    assert deployed.computed_in() == "production"
    assert deployed.client.predict("doubling:1", ROW).receipt.environment is None


def test_deployment_is_scaled_without_a_gap(deployed: Deployed) -> None:
    before = deployed.workers()
    deployed.command("deployments", "scale", NAME, "--concurrency", "2", "--cpu-limit", "1")
    deployed.submit(20)
    eventually(lambda: before != deployed.workers() and len(deployed.workers()) == 1, RECOVERY)
    eventually(deployed.reaches("running", 2), RECOVERY)
    (worker,) = deployed.workers()
    assert len(worker.cpu_affinity()) == 1
    assert deployed.computed_in() == "production"


def test_stopped_deployment_refuses_or_keeps_requests(deployed: Deployed) -> None:
    deployed.command("deployments", "stop", NAME)
    with pytest.raises(Unavailable, match="deployment doubling@production is stopped"):
        deployed.client.submit(NAME, ROW)
    deployed.command("deployments", "scale", NAME, "--when-stopped", "wait")
    eventually(lambda: not deployed.workers(), RECOVERY)
    deployed.submit(3)
    assert deployed.state()["waiting"] == 3
    deployed.command("deployments", "start", NAME)
    eventually(lambda: deployed.state()["waiting"] == 0, RECOVERY)


@pytest.mark.parametrize(("act", "victim"), PAIRS)
def test_kill_in_each_state_loses_nothing(deployed: Deployed, act: str, victim: str) -> None:
    deployed.command("models", "deploy", "doubling:1")
    eventually(lambda: len(deployed.workers()) == 1, RECOVERY)
    deployed.submit(10)
    change(Deploying(Registry(deployed.home)), act)
    deployed.submit(5)
    kill(deployed, victim)
    deployed.command("models", "deploy", "doubling:1")
    eventually(lambda: is_served(deployed), RECOVERY)
    answers = [deployed.client.result(each, wait=RECOVERY) for each in deployed.accepted]
    assert {answer.status for answer in answers} == {"succeeded"}
    assert_counted_once(deployed.home)


def assert_counted_once(home: Path) -> None:
    """Each outcome was written once: there are as many as were counted."""
    with connect(f"unix://{home}/redis/redis.sock?db=0") as client:
        records = [json.loads(client.get(key)) for key in client.scan_iter(f"{keys.RECORD}*")]
        written = sum(
            record["state"] == "succeeded" and record["model"] == "doubling" for record in records
        )
        assert written == int(client.hget(f"{keys.STATISTICS}doubling:1", "succeeded"))


def is_served(deployed: Deployed) -> bool:
    """Whether the deployment answers; what was killed may have broken a connection."""
    with suppress(Unreachable, Unavailable):
        return deployed.computed_in() == "production"
    return False


def change(deploying: Deploying, act: str) -> None:
    """Bring a deployment into the state in which something is killed."""
    if act == "delete":
        deploying.delete("doubling", "production")
    elif act == "stop":
        deploying.scale("doubling", "production", Scaling(when_stopped="wait"))
        deploying.set_state("doubling", "production", "stopped")
    elif act == "scale":
        many = Registry(deploying._registry.home).deployments()[0].concurrency
        deploying.scale("doubling", "production", Scaling(concurrency=3 - many))


def kill(deployed: Deployed, victim: str) -> None:
    """Kill one of the stack's processes, whichever there are of it, and have all of them back."""
    if victim == "up":
        deployed.up.processes()
        deployed.up.stop(signal.SIGKILL)
        eventually(lambda: not deployed.up.left_behind(), RECOVERY)
        deployed.begin()
        return
    marks = {"worker": "predict:", "api": "api.server", "redis": "redis-server"}
    for child in deployed.up.process.children():
        if any(marks[victim] in word for word in child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
