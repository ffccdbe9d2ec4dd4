"""Versions that come while a worker runs, and those that end whoever loads them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest

from registry.manifest import Description
from registry.store import Registry
from tests.stack import LiveStack, running, until, with_models_of

ROW = [5.1, 3.5, 1.4, 0.2]


class Bomb:
    """Ends the process that loads it, as a broken native library would."""

    def __reduce__(self):
        return eval, ("__import__('os').kill(__import__('os').getpid(), 9)",)


@pytest.fixture
def live(demo_home: Path, tmp_path: Path) -> Iterator[LiveStack]:
    with running(with_models_of(demo_home, tmp_path), PREDICTQ_VISIBILITY_TIMEOUT="5") as stack:
        yield stack


def add_copy(stack: LiveStack) -> str:
    """Another version of iris: the same artifact under a new number."""
    registry = Registry(stack.home)
    manifest = registry.resolve("iris").manifest
    fields = {f: getattr(manifest, f) for f in Description.__struct_fields__}
    content = registry.artifact(manifest).read_bytes()
    return f"iris:{registry.add('iris', Description(**fields), content, version=7).version}"


def test_a_new_version_is_held_by_each_process_after_one_load(live: LiveStack) -> None:
    before = {process.pid for process in live.pool()}
    reference = add_copy(live)
    assert live.predict(reference, ROW) == [0]

    def held() -> bool:
        (worker,) = live.http.get("/stats").json()["workers"]
        return reference in worker["loaded"] and len(live.pool()) == len(before)

    until(held, "the version held")
    until(lambda: before.isdisjoint(p.pid for p in live.pool()), "each process replaced")
    after = {process.pid for process in live.pool()}
    assert all(live.predict(reference, ROW) == [0] for _ in range(20))
    assert {process.pid for process in live.pool()} == after, "each was replaced once"


def add_bomb(home: Path) -> None:
    """A version whose artifact was replaced by one that kills: registered as trusted."""
    registry = Registry(home)
    manifest = registry.resolve("diabetes").manifest
    path = home / "bomb.joblib"
    joblib.dump({"model": Bomb()}, path)
    content = path.read_bytes()
    fields = {f: getattr(manifest, f) for f in Description.__struct_fields__}
    fields |= {"format": "joblib", "trusted": True, "size": len(content)}
    fields["sha256"] = hashlib.sha256(content).hexdigest()
    registry.add("bomb", Description(**fields), content)


@pytest.mark.parametrize("there", ["from the start", "later"])
def test_a_version_that_ends_whoever_loads_it_fails_alone(live: LiveStack, there: str) -> None:
    add_bomb(live.home)
    if there == "from the start":
        live.stop("worker")
        live.start("worker")
    worker = live.pid("worker")
    row = [0.0] * 10
    ids = [live.submit("bomb", row)["id"] for _ in range(2)]
    assert live.predict("iris", ROW) == [0]
    for task_id in ids:
        error = live.outcome(task_id, within=60)["error"]
        assert (error["code"], error["retryable"]) == ("worker_lost", True)
    assert live.serves()
    assert live.pid("worker") == worker
