"""A rollout whose start, pause, resume or stop is killed at any write has changed, or has not.

Its moves, which write more, are in `test_rollouts`.
"""

from collections.abc import Callable

import pytest

from registry.changes import Changes
from registry.rollouts.rollout import Rollout, RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry
from tests.unit.registry.faults.killed_writes import killed_at_each_write

PLAN = RolloutPlan(version=3, steps=(10, 100), every_seconds=60)
Act = Callable[[Rollouts], object]


def _latest(rollouts: Rollouts) -> Rollout:
    return max(rollouts.all("m"), key=lambda rollout: rollout.id)


def _stopped(rollouts: Rollouts) -> object:
    Changes(rollouts._registry).set_alias("m", "production", 1)
    return rollouts.settle(_latest(rollouts))


_ACTS: dict[str, tuple[Act, Act, str, str]] = {
    "start": (lambda _: None, lambda r: r.start("m", PLAN), "aborted", "running"),
    "pause": (
        lambda r: r.start("m", PLAN),
        lambda r: r.pause("m", _latest(r).id),
        "running",
        "paused",
    ),
    "resume": (
        lambda r: r.pause("m", r.start("m", PLAN).id),
        lambda r: r.resume("m", _latest(r).id),
        "paused",
        "running",
    ),
    "stop": (lambda r: r.start("m", PLAN), _stopped, "running", "stopped"),
}


@pytest.mark.parametrize(("before", "act", "old", "new"), _ACTS.values(), ids=_ACTS)
def test_killed_change_of_a_rollout_is_made_or_not(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, before: Act, act: Act, old: str, new: str
) -> None:
    rollouts = Rollouts(registry, clock=lambda: 1000.0)

    def begin() -> None:
        Changes(registry).set_alias("m", "production", 2)
        for each in rollouts.unfinished():
            rollouts.settle(each)
        if not rollouts.all("m"):
            rollouts.start("m", PLAN)
        if rollouts.unfinished():
            rollouts.abort("m", _latest(rollouts).id)
        before(rollouts)

    kills = 0
    for _ in killed_at_each_write(monkeypatch, begin, lambda: act(rollouts)):
        kills += 1
        assert _latest(rollouts).status in (old, new)
        assert not _latest(rollouts).moving
        if _latest(rollouts).status == old:
            act(rollouts)  # as the caller repeats it, or the controller looks again
        assert _latest(rollouts).status == new
    assert kills >= 2
