"""Packages that `up --with` adds to the shared environment."""

import sys
from pathlib import Path

import pytest

from telemetry.errors import Invalid, ModelUnloadable
from tests.unit.workers.environments.tiny_wheels import tiny_wheel
from workers.environments import shared
from workers.environments.shared import add_to_shared


@pytest.fixture
def runs(monkeypatch):
    """What uv was asked, each with the lines of its files."""
    asked = []

    def run(arguments, doing):
        files = [Path(arguments[index + 1]).read_text() for index in _indices(arguments)]
        asked.append((arguments, "".join(files)))

    monkeypatch.setattr(shared, "run_uv", run)
    return asked


def _indices(arguments):
    return [index for index, each in enumerate(arguments) if each in ("-r", "--constraint")]


def test_shared_environment_that_has_an_extra_stays_as_it_is(runs):
    add_to_shared(["xgboost", "numpy>=2"], print)
    assert runs == []


def test_shared_environment_gets_what_it_lacks_beside_what_it_has(runs):
    told = []
    add_to_shared(["xgboost", "tinyscale==1.0"], told.append)
    ((arguments, lines),) = runs
    assert arguments[:4] == ["pip", "install", "--python", sys.executable]
    assert {"xgboost-cpu>=3.2", "tinyscale==1.0"} <= set(lines.splitlines())
    assert any(line.startswith("scikit-learn==") for line in lines.splitlines())
    assert told == ["installing xgboost-cpu>=3.2, tinyscale==1.0"]


def test_shared_environment_refuses_a_path(runs):
    with pytest.raises(Invalid, match="is not a requirement"):
        add_to_shared(["./mypackage"], print)


def test_shared_environment_says_why_a_package_cannot_be_added(tmp_path, monkeypatch):
    tiny_wheel(tmp_path, "1.0")
    path = tmp_path / "requirements.txt"
    path.write_text("--no-index\n--find-links .\ntinyscale==2.0\n")
    with pytest.raises(ModelUnloadable, match=r"(?s)installing it failed.*tinyscale==2\.0"):
        add_to_shared([str(path)], print)
