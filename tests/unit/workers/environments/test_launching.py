"""Launching: a fork server in an environment that can or cannot be made."""

import ast
import errno
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions

import psutil
import pytest
from msgspec.structs import replace
from packaging.requirements import Requirement

from registry.manifest import Environment
from registry.store import Registry
from stack.process import ROOT
from tests.support.models import described
from tests.support.stack import until
from workers.environments import launching, making
from workers.environments.environment import MadeEnvironment, Mark, failure_of, note_failure
from workers.environments.lock import WORKER_REQUIREMENTS, _origin

NOT_IN_ENVIRONMENTS = {"prometheus_client", "opentelemetry", "urllib3"}
"""Imported by the worker and the API alone, for metrics, alerts and traces."""


def registered(home, name, lock):
    content, sha256 = name.encode(), hashlib.sha256(lock).hexdigest()
    environment = Environment(sha256, ("tinyscale",), "3.11.7", 1)
    description = replace(described(content), environment=environment)
    return Registry(home).add(name, description, content, lock=lock)


@contextmanager
def started(*program, home):
    """A process that launches m:1, and the worker's end of its socket."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, *program, "m:1", str(theirs.fileno()), "predict"],
            pass_fds=[theirs.fileno()],
            cwd=ROOT,
            env={**os.environ, "PREDICTQ_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        theirs.close()
        with process:
            yield process, ours
            process.kill()


@pytest.mark.usefixtures("measured_children")
def test_launching_ends_with_the_reason_if_the_environment_cannot_be_made(tmp_path):
    lock = f"{_origin()}\n--no-index\ntinyscale==1.0 --hash=sha256:{'0' * 64}\n".encode()
    manifest = registered(tmp_path, "m", lock)
    with started("-m", "workers.environments.launching", home=tmp_path) as (process, _):
        told, _ = process.communicate(timeout=120)
    assert process.returncode == os.EX_UNAVAILABLE
    assert "an environment cannot be made" in told
    assert "tinyscale" in failure_of(tmp_path, manifest.environment.lock)


INSTALLING_FOR_EVER = """
from workers.environments import launching, uv
uv._uv = lambda: "/bin/sh"
launching.provided = lambda home, _: uv.run_uv(
    ["-c", f"echo $$ > {home}/fresh; mv {home}/fresh {home}/pid; sleep 600"], "installing"
)
launching.main()
"""


@pytest.mark.usefixtures("measured_children")
def test_launching_ends_with_its_worker_and_ends_what_it_installs_with(tmp_path):
    registered(tmp_path, "m", b"1")
    with started("-c", INSTALLING_FOR_EVER, home=tmp_path) as (process, worker):
        until((tmp_path / "pid").exists, "the installation")
        worker.close()
        assert process.wait(60) == os.EX_UNAVAILABLE
    until(lambda: not psutil.pid_exists(int((tmp_path / "pid").read_text())), "its end")


@pytest.fixture
def launched(tmp_path, monkeypatch):
    """Returns a function that launches m:1 with another way to provide; no process is replaced."""
    monkeypatch.setenv("PREDICTQ_HOME", str(tmp_path))
    monkeypatch.setattr(launching.signal, "signal", lambda *_: None)
    monkeypatch.setattr(launching, "configure", lambda _: None)
    monkeypatch.setattr(launching, "_end_with_worker", lambda _: None)
    monkeypatch.setattr(os, "set_inheritable", lambda *_: None)
    commands = []
    monkeypatch.setattr(os, "execv", lambda _, command: commands.append(command))
    monkeypatch.setattr(sys, "argv", ["launching", "m:1", "0", "predict"])

    def launch(provided=making.provided):
        monkeypatch.setattr(launching, "provided", provided)
        launching.main()
        return commands[-1]

    return launch


def raising(error):
    def provided(*_):
        raise error

    return provided


def test_launching_keeps_why_an_environment_cannot_be_made(tmp_path, launched):
    manifest = registered(tmp_path, "m", b"# Python 3.9, linux-x86_64\n")
    lock = manifest.environment.lock

    def reason(**given):
        with pytest.raises(SystemExit):
            launched(**given)
        return failure_of(tmp_path, lock)

    assert "locked for Python 3.9" in reason()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "No space left" in reason(provided=raising(full))
    (tmp_path / "models" / "m" / "versions" / "1.lock").unlink()
    assert "is missing" in reason()


@pytest.mark.usefixtures("measured_children")
def test_launching_enters_the_environment_without_the_current_directory(tmp_path, launched):
    manifest = registered(tmp_path, "m", b"1")
    lock = manifest.environment.lock
    note_failure(tmp_path, lock, "it failed before")
    made = MadeEnvironment(tmp_path, Mark(lock, "3.11.7", 1))
    program = [str(made.python), "-P", "-m", "workers.pool.fork_server"]
    assert launched(lambda *_: made) == [*program, "0", "predict"]
    assert failure_of(tmp_path, lock) == ""


def test_worker_requirements_have_the_bounds_of_the_project(tmp_path):
    project = (ROOT / "pyproject.toml").read_text()
    bounded = [each for each in WORKER_REQUIREMENTS if ">" in each]
    assert bounded
    for each in bounded:
        assert f'"{each}"' in project


def imported_at_start(room: str) -> Iterator[str]:
    """Top-level names of what the modules of a room import, outside of their functions."""
    for file in (ROOT / room).rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


def test_environments_have_what_the_code_in_them_imports():
    """`add` continues there, and a fork server runs there, without predictq's own lock."""
    rooms = ("registry", "tasks", "telemetry", "workers", "cli/models")
    ours = {"api", "benchmarks", "cli", "predictq", "stack", "webhooks", *rooms}
    names = {name for room in rooms for name in imported_at_start(room)}
    providers = packages_distributions()
    wanted = [Requirement(each) for each in WORKER_REQUIREMENTS]
    given = {name for each in wanted for name in (each.name, *each.extras)}
    foreign = names - set(sys.stdlib_module_names) - ours - NOT_IN_ENVIRONMENTS
    missing = {name for name in foreign if not given & set(providers[name])}
    assert missing == set()
