"""`predictq up` as a newcomer meets it: a line to paste, deaths, an end, and a next time."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self
from urllib.request import ProxyHandler, build_opener

import psutil
import pytest

from cli.canary import Canary
from registry.store import Registry
from tests.traffic import traffic

ROOT = Path(__file__).resolve().parents[2]
STARTING = 90.0
ENDING = 10.0
PATIENCE = 20.0
CORES = len(os.sched_getaffinity(0))
UP = (sys.executable, "-m", "cli.main", "up")
fetch = build_opener(ProxyHandler({})).open


def eventually(condition: Callable[[], object], within: float) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:.0f} s"
        time.sleep(0.05)


def free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        return one.getsockname()[1], other.getsockname()[1]


def descendants(process: psutil.Process) -> int:
    """How many it has; none once it is gone."""
    try:
        return len(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return 0


class Up:
    """A running `up`, and what it printed."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        self.port, self.flower_port = free_ports()
        ports = ["--port", str(self.port), "--flower-port", str(self.flower_port)]
        environment = {n: v for n, v in os.environ.items() if n != "REDIS_URL"}
        self.output = home.with_suffix(".out")
        with self.output.open("wb") as output:
            self.process = psutil.Popen(
                [*UP, "--home", str(home), *ports, *options],
                cwd=ROOT,
                env={**environment, "FLOWER_UNAUTHENTICATED_API": "true"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.seen: set[psutil.Process] = set()

    def __enter__(self) -> Self:
        """Wait until it is ready."""
        try:
            eventually(self.is_ready, STARTING)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)

    @property
    def lines(self) -> list[str]:
        return self.output.read_text().splitlines()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "\n".join(self.lines)
        return any(line.startswith("curl ") for line in self.lines)

    def processes(self) -> list[psutil.Process]:
        """All that descend from it, now; they are remembered."""
        processes: list[psutil.Process] = self.process.children(recursive=True)
        self.seen.update(processes)
        return processes

    def ask(self) -> dict[str, Any]:
        """Paste the printed line into a shell; gives the answer, empty when there was none."""
        (line,) = (line for line in self.lines if line.startswith("curl "))
        told = subprocess.run(
            ["bash", "-c", f"{line} --max-time 5"], capture_output=True, check=False
        )
        answer: dict[str, Any] = json.loads(told.stdout or "{}")
        return answer

    def answers(self) -> bool:
        return self.ask().get("status") == "succeeded"

    def tasks(self) -> dict[str, Any]:
        """What Flower lists by task id; nothing while it is away."""
        try:
            with fetch(f"http://127.0.0.1:{self.flower_port}/api/tasks", timeout=5) as answer:
                listed: dict[str, Any] = json.load(answer)
        except OSError:
            return {}
        return listed

    def result(self, identifier: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/predict/result/{identifier}"
        with fetch(url, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send the signal; gives the seconds until it was gone."""
        self.processes()
        start = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=2 * ENDING)
        return time.monotonic() - start

    def left_behind(self) -> list[psutil.Process]:
        return [p for p in self.seen if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "home"


@pytest.fixture(scope="module")
def up(home: Path) -> Iterator[Up]:
    """The first start in this home, with the demo models."""
    with Up(home) as up:
        yield up


def refusal(home: Path, *options: str) -> str:
    """What an `up` says that must end at once with an error."""
    told = subprocess.run(
        [*UP, "--home", str(home), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert told.returncode == 1
    return told.stderr


def test_it_says_where_it_is_and_the_printed_line_works(up: Up) -> None:
    url = f"http://127.0.0.1:{up.port}"
    assert up.lines[-4:-1] == [
        f"ready {url}",
        f"flower http://127.0.0.1:{up.flower_port}",
        f"docs {url}/docs",
    ]
    answer = up.ask()
    assert answer["status"] == "succeeded"
    assert len(answer["predictions"]) == 1


def test_other_commands_find_it(up: Up) -> None:
    entry = json.loads((up.home / "stack.json").read_text())
    assert entry["pid"] == up.process.pid
    assert entry["url"] == f"http://127.0.0.1:{up.port}"
    assert entry["flower_url"] == f"http://127.0.0.1:{up.flower_port}"
    assert entry["redis_url"].startswith("redis://127.0.0.1:")


def test_flower_lists_the_task(up: Up) -> None:
    identifier = up.ask()["id"]
    eventually(lambda: up.tasks().get(identifier, {}).get("state") == "SUCCESS", PATIENCE)


def test_a_home_runs_once(up: Up) -> None:
    assert f"another `up` runs on {up.home}" in refusal(up.home)


def test_a_taken_port_is_refused_at_once(up: Up, tmp_path: Path) -> None:
    told = refusal(tmp_path, "--port", str(up.port))
    assert f"port {up.port} is taken; choose another with --port" in told


def test_flowers_login_is_whole_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREDICTQ_FLOWER_USER", "somebody")
    port, flower_port = map(str, free_ports())
    told = refusal(tmp_path, "--no-demo", "--port", port, "--flower-port", flower_port)
    assert "set both PREDICTQ_FLOWER_USER and PREDICTQ_FLOWER_PASSWORD" in told
    assert not (tmp_path / "redis").exists()


def test_every_process_that_is_killed_comes_back(up: Up) -> None:
    def shape() -> list[int]:
        return sorted(map(descendants, up.process.children()))

    whole = shape()
    # The guard, Redis, Flower; the API's server; fork server and pool of each worker.
    assert whole == [0, 0, 0, 1, 1 + CORES, 1 + CORES]
    ours = up.process.children()
    theirs = [process for process in up.processes() if process not in ours]
    theirs.sort(key=lambda process: -process.create_time())  # parents after their children

    def kill(victims: list[psutil.Process]) -> None:
        for victim in victims:
            assert victim.is_running(), "it died by itself:\n" + "\n".join(up.lines)
            victim.kill()
            victim.wait(PATIENCE)
            eventually(lambda: shape() == whole, STARTING)
            eventually(up.answers, STARTING)

    kill(theirs)
    kill(up.process.children())  # a worker ends with its fork server: these are not `ours` any more
    asked: set[str] = set()
    eventually(lambda: asked.add(up.ask()["id"]) or asked & up.tasks().keys(), PATIENCE)


def test_restart_replaces_api_and_worker_without_a_refused_request(up: Up) -> None:
    before = {child.pid for child in up.process.children()}
    whole = up.processes()
    with traffic(up.port) as calling:
        eventually(lambda: len(calling.accepted) > 100, PATIENCE)
        told = subprocess.run(
            [sys.executable, "-m", "cli.main", "restart", "--home", str(up.home)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
        )
    assert (told.returncode, told.stdout) == (0, "API and worker are new\n"), told.stderr
    assert calling.failures == []
    assert {up.result(identifier)["status"] for identifier in calling.accepted} <= {
        "queued",
        "running",
        "succeeded",
    }
    kept = before & {child.pid for child in up.process.children()}
    assert len(kept) == len(before) - 2  # the workers; the API is the one that has new children
    eventually(lambda: len(up.processes()) == len(whole), PATIENCE)


def test_restart_says_that_nothing_runs(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "cli.main", "restart", "--home", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (1, f"Error: no `up` runs on {tmp_path}\n")


def test_it_continues_after_a_sigterm_and_after_a_kill(up: Up) -> None:
    identifier = up.ask()["id"]
    assert up.stop() <= ENDING
    assert up.left_behind() == []
    assert up.process.returncode == 0
    assert not (up.home / "stack.json").exists()

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
    """Damage the artifact of the model that `up` asks first; gives the model's name."""
    registry = Registry(home)
    model = Canary.flock(home)[0].model
    artifact = registry.artifact(registry.resolve(model).manifest)
    artifact.chmod(0o600)
    artifact.write_bytes(artifact.read_bytes() + b"!")
    return model


PIP = """
import os, subprocess, sys, time
if sys.argv[1:] != ["--version"]:
    child = subprocess.Popen(["sleep", "60"])
    with open("pids.new", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename("pids.new", "pids")
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_installation_ends_with_all_that_it_started(tmp_path: Path, number: int) -> None:
    script = shutil.copy(ROOT / "run", tmp_path)
    locks = ["requirements/dev.lock", "requirements/local.lock"]
    for name in ["client/pyproject.toml", "pyproject.toml", *locks]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "pip.py").write_text(PIP)
    run = subprocess.Popen(
        [sys.executable, script], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    eventually((tmp_path / "pids").exists, PATIENCE)
    started = [psutil.Process(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    run.send_signal(number)
    _, told = run.communicate(timeout=PATIENCE)
    assert run.returncode == 128 + number
    assert "Traceback" not in told
    psutil.wait_procs(started, PATIENCE)
    assert [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
