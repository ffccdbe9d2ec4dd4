"""Versions with code and packages of their own, side by side in one worker."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from predictq import Client
from stack.process import ROOT
from tests.support.stack import LiveStack, until
from tests.unit.workers.environments.tiny_wheels import tiny_wheel
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


def add(stack: LiveStack, *words: Any) -> str:
    """Run ``models add``; skips the test if packages cannot be fetched here."""
    command = [sys.executable, "-m", "cli.main", "models", "add", *map(str, words)]
    done = subprocess.run(
        [*command, "--home", str(stack.home)],
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


def test_environments_of_two_versions_compute_side_by_side(
    scoring: LiveStack, tmp_path: Path
) -> None:
    model, package = pickled(tmp_path)
    rows = tmp_path / "rows.csv"
    rows.write_text("x0\n1.5\n2.5\n")
    wanted = tmp_path / "requirements.txt"
    for number in (1, 2):
        tiny_wheel(tmp_path / "wheels", f"{number}.0")
        wanted.write_text(f"--find-links wheels\ntinyscale=={number}.0\n")
        given = [*("--code", package), *("--requirements", wanted), *("--sample", rows)]
        told = add(scoring, "scaled", model, "--trust", *given)
        assert f"registered scaled:{number}" in told
        assert "proved on 2 rows: the stack answers as the model does" in told
    with Client(scoring.url) as client:
        for _ in range(2):
            for number in (1, 2):
                answer = client.predict(f"scaled:{number}", [[1.5], [2.5]])
                assert answer.predictions == [1.5 * number, 2.5 * number]
                assert f"tinyscale {number}.0" in answer.receipt.runtime
    shown = scoring.http.get("/models/scaled").json()["details"]
    assert [each["environment"]["requirements"] for each in shown] == [
        ["tinyscale==1.0"],
        ["tinyscale==2.0"],
    ]
    assert scoring.serves()
    servers = fork_servers(scoring)
    assert len(servers) == 3
    servers[-1].kill()
    until(lambda: len(fork_servers(scoring)) == 2, "the end of the fork server")
    with Client(scoring.url) as client:
        assert client.predict("scaled:2", [[1.5]]).predictions == [3.0]


def fork_servers(stack: LiveStack) -> list[psutil.Process]:
    """The fork servers of the worker of predictions, oldest first."""
    found = psutil.Process(stack.pid("worker")).children()
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]
