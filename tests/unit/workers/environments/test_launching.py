"""Launching: a fork server in an environment that can or cannot be made, and unused ones."""

import hashlib
import os
import subprocess
import sys

from msgspec.structs import replace

from registry.manifest import Environment
from registry.store import Registry
from stack.process import ROOT
from tests.support.models import described
from workers.environments.environment import environments_of, failure_of
from workers.environments.lock import RUNTIME, _origin
from workers.environments.unused import remove_unused


def registered(home, name, lock):
    content, sha256 = name.encode(), hashlib.sha256(lock).hexdigest()
    environment = Environment(sha256, ("tinyscale",), "3.11.7", 1)
    description = replace(described(content), environment=environment)
    return Registry(home).add(name, description, content, lock=lock)


def test_launching_ends_with_the_reason_if_the_environment_cannot_be_made(tmp_path):
    lock = f"{_origin()}\n--no-index\ntinyscale==1.0 --hash=sha256:{'0' * 64}\n".encode()
    manifest = registered(tmp_path, "m", lock)
    command = [sys.executable, "-m", "workers.environments.launching", "m:1", "0", "predict"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PREDICTQ_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == os.EX_UNAVAILABLE
    assert "an environment cannot be made" in done.stdout + done.stderr
    assert "tinyscale" in failure_of(tmp_path, manifest.environment.lock)


def test_unused_environments_are_removed_and_others_stay(tmp_path):
    kept, gone = registered(tmp_path, "kept", b"1"), registered(tmp_path, "gone", b"2")
    for manifest in (kept, gone):
        (environments_of(tmp_path) / manifest.environment.lock).mkdir(parents=True)
    assert remove_unused(tmp_path) == []
    Registry(tmp_path).remove("gone")
    removed = environments_of(tmp_path) / gone.environment.lock
    assert remove_unused(tmp_path) == [removed]
    assert not removed.exists()
    assert (environments_of(tmp_path) / kept.environment.lock).exists()


def test_runtime_packages_have_the_bounds_of_the_project(tmp_path):
    project = (ROOT / "pyproject.toml").read_text()
    bounded = [each for each in RUNTIME if ">" in each]
    assert bounded
    for each in bounded:
        name = each.partition(">")[0]
        assert f'"{each}"' in project or f'"{name}[hiredis]{each.removeprefix(name)}"' in project
