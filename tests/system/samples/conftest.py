"""A stack with a bulk worker, and the commands that register a model there."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import joblib
import psutil
import pytest

from benchmarks.zoo.exhibits.company import hurry
from tests.support.models import with_models_of
from tests.support.stack import LiveStack, running
from tests.support.zygote.forked_command import run_forked

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def scoring(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A running stack that the commands find."""
    home = with_models_of(demo_home, tmp_path_factory.mktemp("samples"))
    with running(home, processes=1, bulk=True, forks=True) as stack:
        bulk = psutil.Process(stack.pid("bulk"))
        hurry([bulk, *bulk.children(recursive=True)])
        said = {"pid": os.getpid(), "url": stack.url, "redis_url": stack.redis_url}
        (home / "stack.json").write_text(json.dumps(said))
        yield stack


@pytest.fixture(scope="session")
def models(scoring: LiveStack) -> Command:
    """Runs ``predictq models …``."""

    def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
        return run_forked("models", *map(str, words), "--home", str(scoring.home))

    return run


def saved(directory: Path, model: Any) -> Path:
    """Save a model with joblib and return its path."""
    path = directory / "model.joblib"
    joblib.dump(model, path)
    return path
