"""Versions with code and packages of their own, side by side in one worker."""

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from predictq import Client
from registry.manifest import Description, Environment
from registry.store import Registry
from stack.process import ROOT
from tests.support.models import Doubling, register
from tests.support.stack import LiveStack, running, until
from tests.unit.workers.environments.tiny_wheels import tiny_wheel
from workers.environments.lock import _origin
from workers.models.formats.code.modules import VersionModules

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CLASS = """
import numpy as np

class Scaled:
    n_features_in_ = 1

    def predict(self, rows):
        from tinyscale import FACTOR
        return np.asarray(rows)[:, 0] * FACTOR
"""
OFFLINE = ("dns error", "failed to lookup", "error sending request", "Connection refused")
TEST_TIMEOUT = 120.0
"""Seconds that a prediction may take for which a fork server starts first."""


def add(home: Path, *words: str | Path) -> str:
    """Run ``models add``; skips the test if packages cannot be fetched here."""
    command = [sys.executable, "-m", "cli.main", "models", "add", *map(str, words)]
    done = subprocess.run(
        [*command, "--home", str(home)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        timeout=600,
    )
    if any(sign in done.stderr for sign in OFFLINE):
        pytest.skip(f"the package index cannot be reached: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def pickled(directory: Path) -> tuple[Path, Path]:
    """A pickle of a class in a package, and the package."""
    package = directory / "ownshop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "models.py").write_text(CLASS)
    modules = VersionModules(directory)
    scaled = modules.found("ownshop.models").Scaled()
    with modules.imported():
        (directory / "scaled.pkl").write_bytes(pickle.dumps(scaled))
    return directory / "scaled.pkl", package


def fork_servers(stack: LiveStack) -> list[psutil.Process]:
    """The fork servers of the worker, oldest first."""
    found = psutil.Process(stack.pid("worker")).children()
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]


def test_environments_that_cannot_be_made_fail_with_the_reason(tmp_path: Path) -> None:
    """A lock whose package is nowhere: other versions are served, and the worker stays."""
    lock = f"{_origin()}\n--no-index\ntinyscale==1.0 --hash=sha256:{'0' * 64}\n".encode()
    wanted = Environment(hashlib.sha256(lock).hexdigest(), ("tinyscale==1.0",), "3.11.7", 1)
    register(tmp_path, "doubling", Doubling(), [[1.0, 0.0]])
    content = (tmp_path / "doubling.joblib").read_bytes()
    own = Registry(tmp_path).resolve("doubling").manifest
    fields = {name: getattr(own, name) for name in Description.__struct_fields__}
    description = Description(**{**fields, "environment": wanted})
    Registry(tmp_path).add("lost", description, content, lock=lock)
    with running(tmp_path, forks=True) as stack:
        lost = stack.submit("lost", [[1.0, 0.0]])["id"]
        assert stack.predict("doubling", [[1.0, 0.0]]) == [2.0]
        error = stack.outcome(lost, TEST_TIMEOUT)["error"]
        assert error["code"] == "model_unloadable"
        assert "lost:1 needs its environment" in error["message"]
        assert "tinyscale" in error["message"]
        assert stack.predict("doubling", [[1.0, 0.0]]) == [2.0]


def test_environments_of_two_versions_compute_side_by_side(tmp_path: Path) -> None:
    """Code beside a pickle, two versions of a package, predictions, a job, and a killed server."""
    home, (model, package) = tmp_path / "home", pickled(tmp_path)
    rows, wanted = tmp_path / "rows.csv", tmp_path / "requirements.txt"
    rows.write_text("x0\n1.5\n2.5\n")
    for number in (1, 2):
        tiny_wheel(tmp_path / "wheels", f"{number}.0")
        wanted.write_text(f"--find-links wheels\ntinyscale=={number}.0\n")
        given = ["--code", package, "--requirements", wanted, "--sample", rows]
        told = add(home, "scaled", model, "--trust", *given)
        assert f"registered scaled:{number}" in told
        assert "proved on 2 rows" in told
    with (
        running(home, bulk=True, forks=True) as stack,
        Client(stack.url, timeout=TEST_TIMEOUT) as client,
    ):
        assert len(fork_servers(stack)) == 1
        for _ in range(2):
            for number in (1, 2):
                answer = client.predict(f"scaled:{number}", [[1.5], [2.5]])
                assert answer.predictions == [1.5 * number, 2.5 * number]
                assert f"tinyscale {number}.0" in answer.receipt.runtime
        shown = stack.http.get("/models/scaled").json()["details"]
        found = [each["environment"]["requirements"] for each in shown]
        assert found == [["tinyscale==1.0"], ["tinyscale==2.0"]]
        assert len(fork_servers(stack)) == 3

        fork_servers(stack)[-1].kill()
        until(lambda: len(fork_servers(stack)) == 2, "the end of the fork server")
        assert client.predict("scaled:2", [[1.5]]).predictions == [3.0]

        job = client.jobs.submit("scaled:1", rows, upload=True)
        job = client.jobs.wait(job.id, TEST_TIMEOUT)
        client.jobs.download(job.id, tmp_path / "answers.csv")
        assert (tmp_path / "answers.csv").read_text().split()[1:] == ["1.5", "2.5"]
