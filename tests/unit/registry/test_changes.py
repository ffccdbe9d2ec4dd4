"""Aliases are moved, deleted and rolled back; each change is kept in the history."""

from pathlib import Path

import pytest

from registry.changes import Changes
from registry.history import UNRECORDED, Cause, aliases_after
from registry.rollouts.rollout import RolloutPlan
from registry.rollouts.rollouts import Rollouts
from registry.shadows.shadows import ShadowSettings
from registry.storage.model_settings import Shadow
from registry.store import Registry
from telemetry.errors import AliasMoved, AliasNotFound, ModelNotFound, RegistryConflict


def test_changes_move_an_alias_only_from_what_is_expected(registry: Registry) -> None:
    changes = Changes(registry)
    assert changes.set_alias("m", "a", 1, expected=None).changed
    with pytest.raises(AliasMoved, match="it means m:1, not m:2"):
        changes.set_alias("m", "a", 3, expected=2)
    assert changes.set_alias("m", "a", 2, expected=1).previous == 1
    # An attempt that is repeated, because its answer was lost, is answered as the first one.
    assert not changes.set_alias("m", "a", 2, expected=1).changed


def test_changes_delete_an_alias(registry: Registry) -> None:
    changes = Changes(registry)
    changes.set_alias("m", "a", 1)
    with pytest.raises(AliasMoved):
        changes.remove_alias("m", "a", expected=2)
    assert changes.remove_alias("m", "a").version is None
    with pytest.raises(AliasNotFound):
        changes.remove_alias("m", "a")


def test_changes_roll_back_step_by_step(registry: Registry) -> None:
    changes = Changes(registry)
    for version in (1, 2, 3):
        changes.set_alias("m", "production", version)
    assert changes.rollback("m", "production").version == 2
    assert changes.rollback("m", "production").version == 1
    with pytest.raises(RegistryConflict, match="no earlier version"):
        changes.rollback("m", "production")


def test_changes_roll_back_past_a_removed_version(registry: Registry) -> None:
    changes = Changes(registry)
    for version in (1, 2, 3):
        changes.set_alias("m", "production", version)
    changes.remove("m", 2)
    assert changes.rollback("m", "production").version == 1


def test_changes_refuse_to_remove_what_an_alias_means(registry: Registry) -> None:
    changes = Changes(registry)
    changes.set_alias("m", "a", 1)
    with pytest.raises(RegistryConflict, match="m@a is m:1"):
        changes.remove("m", 1, force=False)
    assert changes.remove("m", 1, force=True).aliases == ("a",)


def test_changes_refuse_to_remove_a_shadow_and_end_it_by_force(registry: Registry) -> None:
    changes, shadows = Changes(registry), ShadowSettings(registry)
    changes.set_alias("m", "a", 1)
    shadows.start("m", "a", Shadow(version=2, rate=5))
    with pytest.raises(RegistryConflict, match="m:2 is the shadow of m@a"):
        changes.remove("m", 2, force=False)
    assert changes.keep_latest("m", 1).versions == ()
    changes.remove("m", 2, force=True)
    assert registry.settings("m").shadows == {}
    assert [change.act for change in registry.history("m")[-2:]] == ["unshadowed", "removed"]
    shadows.start("m", "a", Shadow(version=3, rate=5))
    changes.remove("m", 1, force=True)
    assert registry.settings("m").shadows == {}, "its alias is gone"


def test_changes_refuse_to_remove_the_candidate_of_a_rollout(registry: Registry) -> None:
    changes, rollouts = Changes(registry), Rollouts(registry)
    changes.set_alias("m", "a", 1)
    begun = rollouts.start("m", RolloutPlan(alias="a", version=2, steps=(10, 100)))
    with pytest.raises(RegistryConflict, match="rollout 1 moves m@a to m:2"):
        changes.remove("m", 2, force=False)
    changes.remove("m", 2, force=True)
    stopped = rollouts.settle(begun)
    assert (stopped.status, stopped.why) == ("stopped", "m:2 was removed")
    assert registry.aliases("m") == {"a": 1}


def test_changes_are_kept_with_cause(registry: Registry) -> None:
    changes = Changes(registry)
    changes.set_alias("m", "a", 1, cause=Cause("ada", "better on March"))
    changes.set_alias("m", "a", 3)
    changes.remove("m")
    told = [(c.act, c.version, c.alias, c.before, c.after) for c in registry.history("m")]
    assert told == [
        *(("registered", number, None, None, None) for number in (1, 2, 3)),
        ("alias", None, "a", None, 1),
        ("alias", None, "a", 1, 3),
        ("alias", None, "a", 3, None),
        *(("removed", number, None, None, None) for number in (1, 2, 3)),
    ]
    assert (registry.history("m")[3].by, registry.history("m")[3].why) == ("ada", "better on March")
    with pytest.raises(ModelNotFound):
        registry.history("other")


def test_history_shows_a_change_that_was_not_recorded(registry: Registry, tmp_path: Path) -> None:
    changes, file = Changes(registry), tmp_path / "models" / "m" / "history.ndjson"
    changes.set_alias("m", "a", 1)
    before = file.read_bytes()
    changes.set_alias("m", "a", 2)
    file.write_bytes(before + b'{"time": "2')  # as after a crash while the change was recorded
    assert len(registry.history("m")) == 4
    changes.set_alias("m", "a", 3)
    last = registry.history("m")[-2:]
    assert [(c.before, c.after, c.why) for c in last] == [(1, 2, UNRECORDED), (2, 3, "")]
    assert aliases_after(registry.history("m")) == {"a": 3}
