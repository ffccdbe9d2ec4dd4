"""The `run` script installs, starts what it installed, and ends with all that it started."""

import os
import runpy
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from stack.process import ROOT
from tests.system.up.running_up import TEST_TIMEOUT, eventually

PIP = """
import os, subprocess, sys, time
if sys.argv[1:] != ["--version"]:
    child = subprocess.Popen(["sleep", "60"])
    with open("pids.new", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    os.rename("pids.new", "pids")
    time.sleep(60)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """`run` in an otherwise empty project."""
    locks = ["requirements/dev.lock", "requirements/local.lock"]
    for name in ["client/pyproject.toml", "pyproject.toml", *locks]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return Path(shutil.copy(ROOT / "run", tmp_path))


def installed(script: Path, name: str, command: str) -> Path:
    """An environment as `run` installs it, with this code as the `predictq` command."""
    venv = script.parent / name
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "bin" / "predictq").write_text(command)
    lock = "dev" if name.endswith("dev") else "local"
    (venv / "installed").write_text(runpy.run_path(str(script))["stamp"](lock))
    return venv


def told(script: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, script, *arguments],
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=TEST_TIMEOUT,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("command", ["test", "prove"])
def test_development_leaves_the_environment_of_a_stack_alone(script: Path, command: str) -> None:
    installed(script, ".venv", "print('live')")
    for option in ("--help", "-h"):
        assert told(script, command, "--minutes", "1", option) == "live\n"
    assert not (script.parent / ".venv-dev").exists()
    installed(script, ".venv-dev", "print('dev')")
    assert told(script, command) == "dev\n"
    assert told(script, command, "--help") == "dev\n"
    assert told(script, "models", "list") == "live\n"


@pytest.mark.parametrize(
    ("arguments", "made"), [(["test"], ".venv-dev"), (["prove"], ".venv-dev"), (["up"], ".venv")]
)
def test_run_makes_the_environment_that_a_command_needs(
    script: Path, arguments: list[str], made: str
) -> None:
    (script.parent / "pip.py").write_text("import sys; sys.exit(sys.argv[1:] != ['--version'])")
    done = subprocess.run(
        [sys.executable, script, *arguments],
        cwd=script.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"making {made}\n" in done.stderr
    assert [path.name for path in script.parent.glob(".venv*")] == [made]


def test_bytecode_unwanted_in_the_tree_is_in_the_environment(script: Path) -> None:
    venv = installed(script, ".venv", "import sys; sys.path.insert(0, ''); import quick")
    (script.parent / "quick.py").touch()
    unwanted = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, script], cwd=script.parent, env=unwanted, check=True)
    assert list((venv / "bytecode").rglob("quick.*.pyc"))
    assert not (script.parent / "__pycache__").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_installation_ends_what_it_started(script: Path, number: int) -> None:
    tmp_path = script.parent
    (tmp_path / "pip.py").write_text(PIP)
    run = subprocess.Popen(
        [sys.executable, script], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    eventually((tmp_path / "pids").exists, TEST_TIMEOUT)
    started = [psutil.Process(int(pid)) for pid in (tmp_path / "pids").read_text().split()]
    run.send_signal(number)
    _, complaint = run.communicate(timeout=TEST_TIMEOUT)
    assert run.returncode == 128 + number
    assert "Traceback" not in complaint
    psutil.wait_procs(started, TEST_TIMEOUT)
    assert [p for p in started if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
