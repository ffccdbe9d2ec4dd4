"""A fitted model, its file, and the command `predictq models` with a home of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io
from click.testing import CliRunner, Result
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from cli.models.commands import models

IRIS = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def model() -> LogisticRegression:
    return LogisticRegression(max_iter=1000).fit(*IRIS)


@pytest.fixture
def file(tmp_path: Path, model: LogisticRegression) -> str:
    skops.io.dump(model, tmp_path / "m.skops")
    return str(tmp_path / "m.skops")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    home = {"PREDICTQ_HOME": str(tmp_path / "home")}
    return lambda *arguments: CliRunner(env=home).invoke(models, list(arguments))
