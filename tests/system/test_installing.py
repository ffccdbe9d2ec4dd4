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

from cli.process import ROOT
from tests.system.started import PATIENCE, eventually

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
    """`run`, in a project that is empty but for it."""
    locks = ["requirements/dev.lock", "requirements/local.lock"]
    for name in ["client/pyproject.toml", "pyproject.toml", *locks]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return Path(shutil.copy(ROOT / "run", tmp_path))


def test_who_wants_no_bytecode_in_his_tree_has_it_in_the_environment(script: Path) -> None:
    venv = script.parent / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "bin" / "predictq").write_text("import sys; sys.path.insert(0, ''); import quick")
    (venv / "installed").write_text(runpy.run_path(str(script))["stamp"]("local"))
    (script.parent / "quick.py").touch()
    unwanted = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, script], cwd=script.parent, env=unwanted, check=True)
    assert list((venv / "bytecode").rglob("quick.*.pyc"))
    assert not (script.parent / "__pycache__").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_installation_ends_with_all_that_it_started(script: Path, number: int) -> None:
    tmp_path = script.parent
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
