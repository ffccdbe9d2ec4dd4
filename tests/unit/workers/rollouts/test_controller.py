"""The controller makes the steps in time, and any number of controllers make each step once."""

from pathlib import Path
from threading import Thread

import pytest

from registry.changes import Changes
from registry.rollouts.rollout import RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry
from tests.support.models import described
from workers.rollouts.controller import Controller

SOON, LATE = 1e-6, 3600.0


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    for artifact in (b"one", b"two"):
        registry.add("m", described(artifact), artifact)
    Changes(registry).set_alias("m", "production", 1)
    return registry


def test_controller_begins_at_once_and_waits_for_the_time_of_each_step(registry: Registry) -> None:
    Rollouts(registry).start("m", RolloutPlan(version=2, every_seconds=LATE))
    for _ in range(3):
        Controller(registry).tick()
    assert registry.aliases("m")["production"] == {1: 90, 2: 10}


def test_many_controllers_make_each_step_once(registry: Registry) -> None:
    Rollouts(registry).start(
        "m", RolloutPlan(version=2, steps=(10, 20, 30, 100), every_seconds=SOON)
    )
    threads = [
        Thread(target=lambda: [Controller(Registry(registry.home)).tick() for _ in range(4)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moves = [c.after for c in registry.history("m") if c.by == "the controller of rollouts"]
    assert moves == [{1: 90, 2: 10}, {1: 80, 2: 20}, {1: 70, 2: 30}, 2]


def test_one_broken_rollout_does_not_hold_up_the_others(registry: Registry) -> None:
    registry.add("other", described(b"three"), b"three")
    (registry.home / "models/other/rollouts.json").write_bytes(b"[{")
    Rollouts(registry).start("m", RolloutPlan(version=2))
    Controller(registry).tick()
    assert registry.aliases("m")["production"] == {1: 90, 2: 10}
