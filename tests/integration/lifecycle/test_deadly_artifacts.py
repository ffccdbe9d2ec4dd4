"""Hazard 19: an artifact that kills the loading process, as a broken native library would."""

from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from registry.store import Registry
from tests.support.models import described, with_models_of
from tests.support.stack import LiveStack, running

pytestmark = pytest.mark.slow

ROW = [5.1, 3.5, 1.4, 0.2]


class Bomb:
    """Ends the process that loads it, as a broken native library would."""

    def __reduce__(self):
        return eval, ("__import__('os').kill(__import__('os').getpid(), 9)",)


@pytest.fixture
def live(constant_home: Path, tmp_path: Path) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path)
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="5") as stack:
        yield stack


def add_bomb(home: Path) -> None:
    """Register the bomb as trusted without opening it."""
    path = home / "bomb.joblib"
    joblib.dump({"model": Bomb()}, path)
    content = path.read_bytes()
    description = described(content, format="joblib", trusted=True)
    Registry(home).add("bomb", description, content)


@pytest.mark.parametrize("there", ["from the start", "later"])
def test_artifact_that_kills_its_loader_fails_alone(live: LiveStack, there: str) -> None:
    add_bomb(live.home)
    if there == "from the start":
        live.stop("worker")
        live.start("worker")
    worker = live.pid("worker")
    row = [0.0]
    ids = [live.submit("bomb", row)["id"] for _ in range(2)]
    assert live.predict("iris", ROW) == [0]
    for task_id in ids:
        error = live.outcome(task_id, within=60)["error"]
        assert (error["code"], error["retryable"]) == ("worker_lost", True)
    assert live.serves()
    assert live.pid("worker") == worker
