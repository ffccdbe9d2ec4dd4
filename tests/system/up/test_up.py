"""`predictq up`: the printed example, killed processes, the shutdown, and the next start."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from cli.main import main
from registry.store import Registry
from stack.pointers import STACKS
from stack.process import ROOT
from stack.smoke_test import SmokeTest
from tests.measurement import MEASUREMENT
from tests.support.models import Constant, Doubling, register
from tests.support.traffic import traffic
from tests.system.up.running_up import (
    ENDING,
    START_TIMEOUT,
    TEST_TIMEOUT,
    Up,
    descendants,
    eventually,
    free_ports,
    refusal,
)

pytestmark = pytest.mark.slow

CORES = len(os.sched_getaffinity(0))


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The first start in a home with two models that load at once, as workers start often here.

    `tests/docs` starts `up` in an empty home, with the demo models.
    """
    home = tmp_path_factory.mktemp("up") / "home"
    home.mkdir()
    register(home, "iris", Constant(), [[5.1, 3.5, 1.4, 0.2]])
    register(home, "doubling", Doubling(), [[1.0, 2.0]])
    with MEASUREMENT.of_children():
        starting = Up(home)
    with starting as up:
        yield up
        if up.process.poll() is None:
            up.stop()  # in order, so that what was measured is kept


def test_up_prints_its_addresses_and_a_line_that_works(up: Up) -> None:
    url = f"http://127.0.0.1:{up.port}"
    console = up.lines[-4]
    assert console.startswith(f"console {url}/console/sign-in?code=")
    assert [up.lines[-5], *up.lines[-3:-1]] == [
        f"ready {url}",
        f"flower http://127.0.0.1:{up.flower_port}",
        f"docs {url}/docs",
    ]
    answer = up.ask()
    assert answer["status"] == "succeeded"
    assert len(answer["predictions"]) == 1


def test_console_command_prints_a_one_time_address(up: Up) -> None:
    printed = [
        CliRunner().invoke(main, ["console", "--home", str(up.home)]).stdout for _ in range(2)
    ]
    address = f"http://127.0.0.1:{up.port}/console/sign-in?code="
    assert all(line.startswith(address) for line in printed)
    assert printed[0] != printed[1]


def test_stack_is_found_by_other_commands(up: Up) -> None:
    entry = json.loads((up.home / "stack.json").read_text())
    assert entry["pid"] == up.process.pid
    assert entry["url"] == f"http://127.0.0.1:{up.port}"
    assert entry["flower_url"] == f"http://127.0.0.1:{up.flower_port}"
    assert entry["redis_url"] == f"unix://{up.home}/redis/redis.sock?db=0"
    pointer = {"pid": up.process.pid, "url": entry["url"], "home": str(up.home)}
    assert pointer_of(up) == pointer
    listed = CliRunner().invoke(main, ["models", "list"])
    assert "iris" in listed.stdout
    assert listed.stderr == f"using the stack at {entry['url']}, home {up.home}\n"


def pointer_of(up: Up) -> dict[str, Any]:
    path = Path(os.environ["XDG_STATE_HOME"], STACKS, f"{up.port}.json")
    pointer: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return pointer


def test_flower_lists_the_task(up: Up) -> None:
    asked: list[str] = []

    def is_listed() -> bool:
        # A worker sends events once it has noticed that Flower listens.
        asked.append(up.ask()["id"])
        return any(up.tasks().get(each, {}).get("state") == "SUCCESS" for each in asked)

    eventually(is_listed, TEST_TIMEOUT)


def test_home_is_used_by_one_stack_at_a_time(up: Up) -> None:
    assert f"another `up` runs on {up.home}" in refusal(up.home)


def test_taken_port_is_refused_at_once(up: Up, tmp_path: Path) -> None:
    told = refusal(tmp_path, "--port", str(up.port))
    assert f"port {up.port} is taken; choose another with --port" in told


def test_flowers_login_is_whole_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTQ_FLOWER_USER", "somebody")
    port, flower_port = map(str, free_ports())
    told = refusal(tmp_path, "--no-demo", "--port", port, "--flower-port", flower_port)
    assert "set both PREDICTQ_FLOWER_USER and PREDICTQ_FLOWER_PASSWORD" in told
    assert not (tmp_path / "redis").exists()


def test_killed_process_is_restarted(up: Up) -> None:
    def shape() -> list[int]:
        return descendants(up.process)

    whole = shape()
    # The guard, Redis, Flower, the watch, the webhooks; the API's server; fork server and pool of
    # each worker.
    assert whole == [0, 0, 0, 0, 0, 1, 1 + CORES, 1 + CORES]
    ours = up.process.children()
    theirs = [process for process in up.processes() if process not in ours]
    theirs.sort(key=lambda process: -process.create_time())  # parents after their children

    def kill(victims: list[psutil.Process]) -> None:
        for victim in victims:
            assert victim.is_running(), "it died by itself:\n" + "\n".join(up.lines)
            victim.kill()
            victim.wait(TEST_TIMEOUT)
            eventually(lambda: shape() == whole, START_TIMEOUT)
            eventually(up.answers, START_TIMEOUT)

    kill(theirs)
    kill(up.process.children())  # a worker ends with its fork server: these are not `ours` any more
    asked: set[str] = set()
    eventually(lambda: asked.add(up.ask()["id"]) or asked & up.tasks().keys(), TEST_TIMEOUT)


def test_restart_replaces_api_and_worker_without_a_refused_request(up: Up) -> None:
    before = {child.pid for child in up.process.children()}
    whole = up.processes()
    with traffic(up.port) as calling:
        eventually(lambda: len(calling.accepted) > 100, TEST_TIMEOUT)
        told = subprocess.run(
            [sys.executable, "-m", "cli.main", "restart", "--home", str(up.home)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT,
            check=False,
        )
    assert (told.returncode, told.stdout) == (0, "API and worker were replaced\n"), told.stderr
    assert calling.failures == []
    assert {up.result(identifier)["status"] for identifier in calling.accepted} <= {
        "queued",
        "running",
        "succeeded",
    }
    kept = before & {child.pid for child in up.process.children()}
    assert (
        len(kept) == len(before) - 4
    )  # two workers, watch and webhooks; the API keeps its process
    eventually(lambda: len(up.processes()) == len(whole), TEST_TIMEOUT)


def test_restart_says_that_nothing_runs(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "cli.main", "restart", "--home", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (1, f"Error: no `up` runs on {tmp_path}\n")


def test_up_continues_after_a_sigterm_and_after_a_kill(up: Up) -> None:
    identifier = up.ask()["id"]
    assert up.stop() <= ENDING
    assert up.left_behind() == []
    assert up.process.returncode == 0
    assert not (up.home / "stack.json").exists()
    assert pointer_of(up) == {}

    with Up(up.home) as killed:
        assert not any(line.startswith("demo") for line in killed.lines)
        assert killed.result(identifier)["status"] == "succeeded"
        identifier = killed.ask()["id"]
        killed.stop(signal.SIGKILL)
        eventually(lambda: not killed.left_behind(), ENDING)

    spoilt = spoil_the_first_canary(up.home)
    with Up(up.home, "--no-flower") as again:
        assert again.result(identifier)["status"] == "succeeded"
        assert f"canary  {spoilt} failed: artifact_mismatch" in again.lines
        assert again.answers()
        assert again.stop(signal.SIGINT) <= ENDING
        assert again.left_behind() == []


def spoil_the_first_canary(home: Path) -> str:
    """Damage the artifact of the model that `up` asks first; return the model's name."""
    registry = Registry(home)
    model = SmokeTest.flock(home)[0].model
    artifact = registry.artifact(registry.resolve(model).manifest)
    artifact.chmod(0o600)
    artifact.write_bytes(artifact.read_bytes() + b"!")
    return model
