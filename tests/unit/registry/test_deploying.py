"""Deployments are made, changed and deleted under the registry's lock."""

from pathlib import Path

import pytest

from registry.changes import Changes
from registry.deploying import deploying as module
from registry.deploying.deploying import Deploying
from registry.deployments.deployment import Scaling, environment_of, model_of
from registry.history import Cause
from registry.store import Registry
from telemetry.errors import (
    DeploymentNotFound,
    Invalid,
    ModelNotFound,
    RegistryConflict,
    VersionNotFound,
)


@pytest.fixture
def deploying(registry: Registry) -> Deploying:
    return Deploying(registry)


def test_deployment_is_made_with_its_alias(registry: Registry, deploying: Deploying) -> None:
    made = deploying.deploy("m", "staging", Scaling(concurrency=3, timeout=5), version=2)
    assert (made.reference, made.queue, made.state) == (
        "m@staging",
        "predict:m@staging",
        "running",
    )
    resolved = registry.resolve("m@staging")
    assert (resolved.manifest.version, resolved.deployment) == (2, made)
    assert registry.resolve("m:2").deployment is None
    assert registry.deployments() == registry.deployments_of("m") == [made]
    assert Registry(registry.home).deployments() == [made]


def test_deployment_follows_its_alias(registry: Registry, deploying: Deploying) -> None:
    made = deploying.deploy("m", "production")
    assert registry.resolve("m@production").manifest.version == 3
    Changes(registry).set_alias("m", "production", {1: 50, 2: 50})
    split = registry.resolve("m@production")
    assert {split.chosen(f"key-{n}").manifest.version for n in range(40)} == {1, 2}
    assert split.chosen("key").deployment == made
    # Without a version the alias keeps what it means.
    deploying.deploy("m", "production", Scaling(concurrency=2))
    assert registry.aliases("m")["production"] == {1: 50, 2: 50}


def test_what_is_not_named_stays(deploying: Deploying) -> None:
    deploying.deploy("m", "production", Scaling(concurrency=2, memory_limit=2**30, cpu_limit=1))
    scaled = deploying.scale("m", "production", Scaling(cpu_limit=None, when_stopped="wait"))
    assert (scaled.concurrency, scaled.memory_limit, scaled.cpu_limit) == (2, 2**30, None)
    assert scaled.process_bytes == 2**29
    stopped = deploying.set_state("m", "production", "stopped")
    assert (stopped.state, stopped.refuses) == ("stopped", False)
    assert deploying.deploy("m", "production").state == "running"


def test_each_change_is_in_the_history_once(registry: Registry, deploying: Deploying) -> None:
    deploying.deploy("m", "production", cause=Cause("ann", "slow"))
    deploying.deploy("m", "production")  # the same again changes nothing
    deploying.scale("m", "production", Scaling(concurrency=2))
    deploying.set_state("m", "production", "stopped")
    deploying.set_state("m", "production", "running")
    deploying.delete("m", "production")
    changes = [change for change in registry.history("m") if change.deployment]
    acts = [change.act for change in changes]
    assert acts == ["deployed", "scaled", "stopped", "started", "undeployed"]
    assert (changes[0].by, changes[0].why) == ("ann", "slow")
    assert registry.deployments() == []
    assert registry.aliases("m") == {"production": 3}


def test_limits_of_a_deployment_fit_its_processes(deploying: Deploying) -> None:
    with pytest.raises(Invalid, match="2 processes need at least 536870912 bytes"):
        deploying.deploy("m", "production", Scaling(concurrency=2, memory_limit=2**28))


def test_unknown_versions_and_deployments_are_refused(deploying: Deploying) -> None:
    with pytest.raises(VersionNotFound):
        deploying.deploy("m", "production", version=9)
    with pytest.raises(ModelNotFound):
        deploying.deploy("n", "production")
    with pytest.raises(Invalid):
        deploying.deploy("m", "../production")
    with pytest.raises(DeploymentNotFound, match="m@production has no deployment"):
        deploying.scale("m", "production", Scaling(concurrency=2))


def test_deployments_are_bounded(deploying: Deploying, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEPLOYMENTS", 2)
    deploying.deploy("m", "one")
    deploying.deploy("m", "two")
    deploying.deploy("m", "two", Scaling(concurrency=2))
    with pytest.raises(RegistryConflict, match="there are 2 deployments"):
        deploying.deploy("m", "three")


def test_removal_needs_force_and_takes_the_deployment(
    registry: Registry, deploying: Deploying
) -> None:
    deploying.deploy("m", "production", version=1)
    changes = Changes(registry)
    with pytest.raises(RegistryConflict, match="m@production is m:1"):
        changes.remove("m", 1, force=False)
    with pytest.raises(RegistryConflict, match="delete that first"):
        changes.remove_alias("m", "production")
    changes.remove("m", 1, force=True)
    assert registry.deployments() == []
    changes.set_alias("m", "production", 2)
    assert registry.resolve("m@production").deployment is None, "it does not come back"


def test_crash_between_the_two_writes_is_completed_by_the_same_request(
    registry: Registry, deploying: Deploying, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(module, "_put", _crash)
        with pytest.raises(KeyboardInterrupt):
            deploying.deploy("m", "production", version=1)
    again = Registry(registry.home)
    assert (again.aliases("m"), again.deployments()) == ({"production": 1}, [])
    made = Deploying(again).deploy("m", "production", version=1)
    assert again.deployments() == [made]


def _crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_damaged_file_of_deployments_is_named(registry: Registry, deploying: Deploying) -> None:
    deploying.deploy("m", "production")
    path = Path(registry.home, "models/m/deployments.json")
    path.write_bytes(b"{")
    registry.forget()
    with pytest.raises(Exception, match="m/deployments.json is broken"):
        registry.deployments()


def test_queues_tell_their_deployment() -> None:
    assert (model_of("predict:a.b@c-d"), environment_of("predict:a.b@c-d")) == ("a.b", "c-d")
    assert model_of("predict") is environment_of("bulk") is None
