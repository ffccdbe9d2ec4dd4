"""A change of a deployment that is killed at any write is made, or not; a repetition makes it."""

from collections.abc import Callable

import pytest

from registry.changes import Changes
from registry.deploying.deploying import Deploying
from registry.deployments.deployment import Scaling
from registry.store import Registry
from tests.unit.registry.faults.killed_writes import killed_at_each_write

Act = Callable[[Deploying], object]


def _make(deploying: Deploying) -> object:
    return deploying.deploy("m", "production", version=1)


def _stop(deploying: Deploying) -> object:
    return deploying.set_state("m", "production", "stopped")


_ACTS: dict[str, tuple[list[Act], Act]] = {
    "deploy": ([], _make),
    "move": ([_make], lambda deploying: deploying.deploy("m", "production", version=2)),
    "scale": (
        [_make],
        lambda deploying: deploying.scale("m", "production", Scaling(concurrency=2)),
    ),
    "stop": ([_make], _stop),
    "start": ([_make, _stop], lambda d: d.set_state("m", "production", "running")),
    "delete": ([_make], lambda deploying: deploying.delete("m", "production")),
}


@pytest.mark.parametrize(("before", "act"), _ACTS.values(), ids=_ACTS)
def test_killed_change_of_a_deployment_is_made_or_not(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, before: list[Act], act: Act
) -> None:
    deploying = Deploying(registry)

    def state() -> object:
        return registry.aliases("m").get("production"), registry.deployments()

    def begin() -> None:
        for deployment in registry.deployments():
            deploying.delete("m", deployment.environment)
        for alias in registry.aliases("m"):
            Changes(registry).remove_alias("m", alias)
        for each in before:
            each(deploying)

    begin()
    old = state()
    act(deploying)
    new = state()
    seen = []
    for _ in killed_at_each_write(monkeypatch, begin, lambda: act(deploying)):
        seen.append(state())
        assert Registry(registry.home).deployments() == seen[-1][1]
        if state() != new:
            act(deploying)
        assert state() == new
    # The alias moves first, so in between it may mean the new version for the old deployment.
    assert [each for each in seen if each not in (old, new)] in ([], [(new[0], old[1])] * 2)
