"""A rollout under load: no request fails, each answer is its version's, and kills undo nothing."""

from collections.abc import Iterator
from threading import Event, Thread
from typing import Self

import pytest
from sklearn.linear_model import LinearRegression

from registry.changes import Changes
from registry.rollouts.rollout import Rollout, RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry
from tests.support.models import GUILTY, Doubling, Touchy, register
from tests.support.stack import Json, LiveStack, running, until

pytestmark = pytest.mark.slow
FACTORS = {1: 2.0, 2: 3.0}
"""By version, what it makes of a number; version 3 raises for `GUILTY`."""
LATE = 3600.0
PLAN = RolloutPlan(version=2, steps=(30, 60, 100), every_seconds=1, requests=5)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("rollout")
    register(home, "factor", Doubling(), [[1.0, 0.0]])
    tripling = LinearRegression(fit_intercept=False).fit([[1.0, 0.0], [0.0, 1.0]], [3.0, 0.0])
    register(home, "factor", tripling, [[1.0, 0.0]])
    register(home, "factor", Touchy(), [[1.0, 0.0]])
    with running(home, bulk=True, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="4") as stack:
        yield stack


@pytest.fixture
def rollouts(stack: LiveStack) -> Rollouts:
    registry = Registry(stack.home)
    rollouts = Rollouts(registry)
    for rollout in rollouts.unfinished():
        rollouts.abort("factor", rollout.id)
    Changes(registry).set_alias("factor", "production", 1)
    return rollouts


class _Load:
    """Callers that ask `production` again and again, and what they were answered."""

    def __init__(self, stack: LiveStack) -> None:
        self._stack, self._over = stack, Event()
        self._thread = Thread(target=self._ask)
        self.accepted: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        number = 0
        while not self._over.wait(0.005):
            number += 1
            key = f"caller-{number % 50}"
            told = self._stack.submit("factor@production", [GUILTY, 0.0], sticky=key)
            self.accepted.append(told["id"])

    def outcomes(self) -> list[Json]:
        return [self._stack.outcome(task_id) for task_id in self.accepted]


def _finished(rollouts: Rollouts, rollout: Rollout) -> Rollout:
    def look() -> Rollout | None:
        found = rollouts.find("factor", rollout.id)
        return None if found.is_live or found.moving else found

    found: Rollout = until(look, "the end of the rollout")
    return found


def _check(outcomes: list[Json]) -> set[int]:
    """Each answer is that of the version in its receipt; returns the versions."""
    for outcome in outcomes:
        assert outcome["status"] == "succeeded", outcome
        version = outcome["receipt"]["version"]
        assert outcome["predictions"] == pytest.approx([FACTORS[version] * GUILTY])
    return {outcome["receipt"]["version"] for outcome in outcomes}


def test_a_rollout_and_an_abort_under_load_fail_no_request(
    stack: LiveStack, rollouts: Rollouts
) -> None:
    with _Load(stack) as load:
        done = _finished(rollouts, rollouts.start("factor", PLAN))
        Changes(Registry(stack.home)).set_alias("factor", "production", 1)
        second = rollouts.start("factor", PLAN)
        until(lambda: rollouts.find("factor", second.id).step, "the first step")
        assert rollouts.abort("factor", second.id).meaning == 1
    assert (done.status, done.step) == ("completed", 3)
    assert _check(load.outcomes()) == {1, 2}
    shown = stack.http.get(f"/models/factor/rollouts/{second.id}").json()
    assert (shown["status"], shown["stable"]) == ("aborted", 1)


@pytest.mark.parametrize("name", ["bulk", "worker", "api", "redis"])
def test_a_rollout_goes_on_after_a_kill(stack: LiveStack, rollouts: Rollouts, name: str) -> None:
    rollout = rollouts.start("factor", PLAN)
    until(lambda: rollouts.find("factor", rollout.id).step, "the first step")
    stack.kill(name)
    means = rollouts.find("factor", rollout.id).meaning
    assert Registry(stack.home).aliases("factor")["production"] == means
    stack.start(name)
    with _Load(stack):
        assert _finished(rollouts, rollout).status == "completed"
    assert stack.predict("factor@production", [1.0, 0.0]) == pytest.approx([3.0])


def test_a_candidate_that_fails_is_rolled_back_under_load(
    stack: LiveStack, rollouts: Rollouts
) -> None:
    """Of its own requests, few fail until then; no other does."""
    plan = RolloutPlan(version=3, steps=(30, 100), every_seconds=LATE)
    with _Load(stack) as load:
        done = _finished(rollouts, rollouts.start("factor", plan))
    assert done.status == "rolled_back", done
    assert done.why.startswith("errors ")
    assert Registry(stack.home).aliases("factor")["production"] == 1
    outcomes = load.outcomes()
    failed = [outcome for outcome in outcomes if outcome["status"] == "failed"]
    assert {outcome["version"] for outcome in failed} == {3}
    _check([outcome for outcome in outcomes if outcome["status"] != "failed"])
