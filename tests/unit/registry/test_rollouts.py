"""A rollout moves an alias in steps, survives a crash at any write, and yields to other hands."""

from contextlib import suppress

import pytest

from registry.changes import Changes
from registry.history import UNRECORDED, Cause
from registry.readiness import Readiness
from registry.rollouts.rollout import Rollout, RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.splits import Meaning
from registry.store import Registry
from telemetry.errors import Invalid, NotFound, RegistryConflict, VersionNotReady
from tests.unit.registry.faults.killed_writes import Killed, kill_after

PLAN = RolloutPlan(version=3, steps=(10, 50, 100), every_seconds=60)
WHY = Cause("controller", "all is well")


@pytest.fixture
def registry(registry: Registry) -> Registry:
    Changes(registry).set_alias("m", "production", 2)
    return registry


@pytest.fixture
def rollouts(registry: Registry) -> Rollouts:
    return Rollouts(registry, clock=lambda: 1000.0)


def _means(registry: Registry) -> Meaning | None:
    return registry.aliases("m").get("production")


def test_rollout_moves_the_alias_step_by_step(registry: Registry, rollouts: Rollouts) -> None:
    rollout = rollouts.start("m", PLAN)
    assert _means(registry) == 2
    meant = []
    while rollout.is_live:
        rollout = rollouts.advance(rollout, WHY)
        meant.append(_means(registry))
    assert meant == [{2: 90, 3: 10}, {2: 50, 3: 50}, 3]
    assert (rollout.status, rollout.step) == ("completed", 3)
    told = [(change.act, change.why) for change in registry.history("m")][-4:]
    assert told == [
        ("rollout", "rollout 1 started in steps of 10, 50, 100 % of production, each for 60 s"),
        ("alias", "rollout 1, step 1 of 3: all is well"),
        ("alias", "rollout 1, step 2 of 3: all is well"),
        ("alias", "rollout 1, step 3 of 3: all is well"),
    ]


def test_decision_upon_an_earlier_state_changes_nothing(rollouts: Rollouts) -> None:
    first = rollouts.start("m", PLAN)
    second = rollouts.advance(first, WHY)
    assert rollouts.advance(first, WHY) == second
    assert rollouts.roll_back(first, WHY) == second


def test_pause_keeps_the_step_and_a_resume_begins_it_anew(
    registry: Registry, rollouts: Rollouts
) -> None:
    rollout = rollouts.advance(rollouts.start("m", PLAN), WHY)
    paused = rollouts.pause("m", 1)
    assert rollouts.advance(paused, WHY) == paused
    assert rollouts.pause("m", 1) == paused, "a repeated request"
    later = Rollouts(registry, clock=lambda: 2000.0).resume("m", 1)
    assert (later.status, later.step, later.since) == ("running", 1, 2000.0)
    assert _means(registry) == rollout.meaning


@pytest.mark.parametrize("steps", range(3))
def test_abort_undoes_every_step(registry: Registry, rollouts: Rollouts, steps: int) -> None:
    rollout = rollouts.start("m", PLAN)
    for _ in range(steps):
        rollout = rollouts.advance(rollout, WHY)
    assert rollouts.abort("m", 1, Cause("me", "enough")).status == "aborted"
    assert _means(registry) == 2
    assert "aborted: enough" in registry.history("m")[-1].why
    with pytest.raises(RegistryConflict, match="rollout 1 of m is aborted: enough"):
        rollouts.abort("m", 1)


def test_rollout_stops_once_its_alias_is_moved_by_hand(
    registry: Registry, rollouts: Rollouts
) -> None:
    rollout = rollouts.advance(rollouts.start("m", PLAN), WHY)
    Changes(registry).set_alias("m", "production", 1)
    assert rollouts.advance(rollout, WHY).status == "stopped"
    assert _means(registry) == 1
    assert rollouts.find("m", 1).why == "m@production was moved by hand: it means m:1"
    assert registry.history("m")[-1].act == "rollout"


def test_rollout_stops_once_its_alias_is_deleted(registry: Registry, rollouts: Rollouts) -> None:
    rollout = rollouts.advance(rollouts.start("m", PLAN), WHY)
    Changes(registry).remove_alias("m", "production")
    assert rollouts.settle(rollout).why == "m@production was moved by hand: it was deleted"


def test_what_was_rolled_back_begins_again_only_if_asked_for(rollouts: Rollouts) -> None:
    rollout = rollouts.advance(rollouts.start("m", PLAN), WHY)
    assert rollouts.roll_back(rollout, Cause("", "errors")).status == "rolled_back"
    with pytest.raises(RegistryConflict, match=r"was rolled back \(errors\)"):
        rollouts.start("m", PLAN)
    assert rollouts.start("m", PLAN, again=True).id == 2


def test_rollout_needs_an_alias_of_one_other_version(
    registry: Registry, rollouts: Rollouts
) -> None:
    with pytest.raises(RegistryConflict, match="m@production means m:2 already"):
        rollouts.start("m", RolloutPlan(version=2))
    rollouts.start("m", PLAN)
    with pytest.raises(RegistryConflict, match="rollout 1 moves m@production to version 3 now"):
        rollouts.start("m", RolloutPlan(version=1))
    Changes(registry).set_alias("m", "other", {1: 50, 2: 50})
    with pytest.raises(RegistryConflict, match="m@other is split"):
        rollouts.start("m", RolloutPlan(version=3, alias="other"))
    with pytest.raises(NotFound):
        rollouts.live("m", "other")


@pytest.mark.parametrize(
    "steps", [(), (10, 50), (50, 10, 100), (10, 10, 100), (0, 100), (100, 110)]
)
def test_plan_has_rising_steps_to_100(steps: tuple[int, ...]) -> None:
    with pytest.raises(Invalid):
        RolloutPlan(version=1, steps=steps)


def test_step_begins_only_while_the_candidate_is_ready(
    registry: Registry, rollouts: Rollouts
) -> None:
    rollout = rollouts.advance(rollouts.start("m", PLAN), WHY)
    registry.set_state(registry.versions("m")[2], Readiness(status="refused", reason="broken"))
    with pytest.raises(VersionNotReady):
        rollouts.advance(rollout, WHY)


_ACTS = {
    "the first step": lambda rollouts, rollout: rollouts.advance(rollout, WHY),
    "an abort": lambda rollouts, rollout: rollouts.abort("m", rollout.id, WHY),
    "a roll-back": lambda rollouts, rollout: rollouts.roll_back(rollout, WHY),
}


@pytest.mark.parametrize("act", _ACTS.values(), ids=_ACTS)
@pytest.mark.parametrize("steps", range(3))
def test_move_that_a_crash_interrupted_is_undone_or_goes_on(
    registry: Registry, rollouts: Rollouts, monkeypatch: pytest.MonkeyPatch, act, steps: int
) -> None:
    """At any of its writes: then the rollout is as before, or the move is finished and told."""
    for writes in range(6):
        rollout = _at_step(registry, rollouts, steps)
        with monkeypatch.context() as patch:
            kill_after(patch, writes)
            with suppress(Killed):
                act(rollouts, rollout)
        recovered = rollouts.settle(rollout)
        assert not recovered.moving
        assert recovered.revision in (rollout.revision, rollout.revision + 1)
        assert recovered.revision == rollout.revision + (writes > 0)
        assert _means(registry) == recovered.meaning
        assert UNRECORDED not in [change.why for change in registry.history("m")]
        if recovered.meaning != rollout.meaning:
            assert registry.history("m")[-1].why.endswith(": all is well")


def _at_step(registry: Registry, rollouts: Rollouts, steps: int) -> Rollout:
    for each in rollouts.unfinished():
        rollouts.abort("m", each.id)
    Changes(registry).set_alias("m", "production", 2)
    rollout = rollouts.start("m", PLAN, again=True)
    for _ in range(steps):
        rollout = rollouts.advance(rollout, WHY)
    return rollout
