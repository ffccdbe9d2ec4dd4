"""A model registered with a sample passes the gate and answers as by itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from predictq import Client
from stack.process import ROOT
from tests.measurement import MEASUREMENT
from tests.support.stack import LiveStack
from tests.system.samples.conftest import Command, saved
from tests.system.samples.people import Moody, churn, people

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models(scoring: LiveStack) -> Iterator[Command]:
    """Runs ``predictq models …``, started and measured: the gate asks a stack here alone."""

    def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli.main", "models", *map(str, words)]
        return subprocess.run(
            [*command, "--home", str(scoring.home)],
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
            timeout=120,
        )

    with MEASUREMENT.of_children():
        yield run


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, models: Command) -> Path:
    """The sample with which the model was registered."""
    directory = tmp_path_factory.mktemp("churn")
    path = directory / "people.parquet"
    people().to_parquet(path)
    added = models("add", "churn", saved(directory, churn()), "--trust", "--sample", path)
    assert added.returncode == 0, added.stderr
    assert "proved on 60 rows: the stack answers as the model does" in added.stdout
    return path


@pytest.mark.usefixtures("sample")
def test_missing_text_in_a_frame_is_answered_as_by_the_model(scoring: LiveStack) -> None:
    fresh = people(seed=1)
    with Client(scoring.url) as client:
        for method in ("predict", "predict_proba"):
            served = client.predict("churn", fresh, method=method).predictions
            own = getattr(churn(), method)(fresh)
            assert np.allclose(np.array(served, float), own, rtol=1e-12, atol=1e-13)


@pytest.mark.usefixtures("sample")
def test_unused_column_may_be_absent(scoring: LiveStack) -> None:
    row = {"city": None, "age": 30, "income": None, "member": True}
    (served,) = scoring.predict("churn", [row])
    frame = people().head(1).assign(city=[None], age=30, income=np.nan, member=True)
    assert served == churn().predict(frame)[0]
    assert scoring.predict("churn", [{**row, "id": 7, "since": [], "else": {}}]) == [served]


def test_served_version_is_checked_on_other_rows(
    sample: Path, tmp_path: Path, models: Command
) -> None:
    path = tmp_path / "fresh.csv"
    people(seed=2).to_csv(path, index=False)
    checked = models("check", "churn", "--data", path)
    assert checked.returncode == 0, checked.stderr
    assert "60 rows, predict, predict_proba" in checked.stdout
    assert "and through http://" in checked.stdout


def test_sample_types_are_shown(sample: Path, models: Command) -> None:
    shown = json.loads(models("show", "churn", "--json").stdout)
    columns = {column["name"]: column for column in shown["signature"]["columns"]}
    assert (columns["age"]["dtype"], columns["member"]["type"]) == ("int64", "boolean")
    assert columns["city"]["nullable"]
    assert columns["id"]["unused"]


def test_model_that_the_gate_refutes_is_refused(
    tmp_path: Path, scoring: LiveStack, models: Command
) -> None:
    pd.DataFrame({"x0": [1.0, 2.0]}).to_csv(tmp_path / "rows.csv", index=False)
    model = saved(tmp_path, Moody())
    added = models("add", "moody", model, "--trust", "--sample", tmp_path / "rows.csv")
    assert added.returncode == 1
    assert "predict of golden row 1 gives" in added.stderr
    assert "moody:1 is refused, and no name or alias resolves to it" in added.stderr
