"""A pickle of an older scikit-learn: refused with the remedy, and served once that is followed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from predictq import Client
from stack.process import ROOT
from tests.support.stack import running
from workers.environments.uv import _uv

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive, pytest.mark.timeout(1800)]

OLD = "1.5.2"
FIT = """
import pickle, sys
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
rows, kinds = load_iris(return_X_y=True)
model = HistGradientBoostingClassifier(max_iter=5).fit(rows, kinds)
with open(sys.argv[1], "wb") as file:
    pickle.dump(model, file)
print(*model.predict(rows[:150:30]))
"""


@pytest.fixture(scope="module")
def old_pickle(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A pickle made with the old version, and the old version's answers."""
    scratch = tmp_path_factory.mktemp("scratch")
    python, model = scratch / "venv" / "bin" / "python", scratch / "old.pkl"
    subprocess.run([_uv(), "venv", "-q", "-p", sys.executable, scratch / "venv"], check=True)
    install = [_uv(), "pip", "install", "-q", "--python", python, f"scikit-learn=={OLD}"]
    done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=900)
    if done.returncode:
        pytest.skip(f"scikit-learn {OLD} cannot be installed here: {done.stderr[-300:]}")
    fitted = subprocess.run(
        [python, "-c", FIT, model], capture_output=True, text=True, check=True, timeout=300
    )
    return model, [int(each) for each in fitted.stdout.split()]


def add(home: Path, model: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", "models", "add", "old", str(model), "--trust"]
    return subprocess.run(
        [*command, "--home", str(home), *words],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        timeout=900,
    )


def test_old_pickle_is_served_by_the_remedy_of_its_refusal(
    tmp_path: Path, old_pickle: tuple[Path, list[int]]
) -> None:
    from sklearn.datasets import load_iris

    model, answers = old_pickle
    home = tmp_path / "home"
    refused = add(home, model)
    assert refused.returncode != 0
    remedy = re.search(r"--requirements scikit-learn==1\.5\.2", refused.stderr)
    assert remedy, refused.stderr
    done = add(home, model, *remedy[0].split())
    assert done.returncode == 0, done.stderr
    with (
        running(home, processes=1, forks=True) as stack,
        Client(stack.url, timeout=300.0) as client,
    ):
        rows = load_iris().data[:150:30].tolist()
        answer = client.predict("old", rows)
        assert answer.predictions == answers
        assert answer.receipt.runtime.startswith(f"scikit-learn {OLD}")
