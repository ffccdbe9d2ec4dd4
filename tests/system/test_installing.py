"""The `run` script installs, and ends with all that it started."""

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
