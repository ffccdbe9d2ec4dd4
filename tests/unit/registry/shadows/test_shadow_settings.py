"""Shadows are set, replaced and stopped; each change is in the history."""

from pathlib import Path

import pytest

from registry.changes import Changes
from registry.history import Cause
from registry.manifest import Column, Signature
from registry.shadows.shadows import ShadowSettings
from registry.storage.model_settings import Shadow
from registry.store import Registry
from telemetry.errors import (
    AliasNotFound,
    Invalid,
    NotFound,
    RegistryConflict,
    VersionNotFound,
    VersionNotReady,
)
from tests.support.models import described

WIDE = Signature((Column("x0"), Column("x1")), False, False, ("predict",))


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    for content in b"1", b"2", b"3":
        registry.add("m", described(content), content)
    registry.add("m", described(b"4", signature=WIDE), b"4")
    Changes(registry).set_alias("m", "production", 1)
    return registry


def test_shadow_is_set_replaced_and_stopped(registry: Registry) -> None:
    shadows = ShadowSettings(registry)
    first = shadows.start("m", "production", Shadow(version=2, rate=5), Cause("me", "to see"))
    assert registry.resolve("m:1").shadows == {"production": first}
    second = shadows.start("m", "production", Shadow(version=3, rate=50))
    assert second.since > first.since
    assert registry.settings("m").shadows == {"production": second}
    assert shadows.stop("m", "production") == second
    assert registry.settings("m").shadows == {}
    changes = registry.history("m")[-3:]
    assert [(c.act, c.version, c.why) for c in changes] == [
        ("shadowed", 2, "of production, 5 %. to see"),
        ("shadowed", 3, "of production, 50 %."),
        ("unshadowed", 3, "of production."),
    ]
    assert changes[0].by == "me"


def test_settings_of_the_cache_stay(registry: Registry) -> None:
    Changes(registry).set_cache("m", 60)
    ShadowSettings(registry).start("m", "production", Shadow(version=2, rate=5))
    assert registry.settings("m").cache == 60


@pytest.mark.parametrize(
    ("alias", "shadow", "error"),
    [
        ("production", Shadow(version=1, rate=5), RegistryConflict),
        ("production", Shadow(version=4, rate=5), RegistryConflict),
        ("production", Shadow(version=9, rate=5), VersionNotFound),
        ("production", Shadow(version=2, rate=0), Invalid),
        ("production", Shadow(version=2, rate=101), Invalid),
        ("staging", Shadow(version=2, rate=5), AliasNotFound),
    ],
)
def test_bad_shadows_are_refused(registry: Registry, alias: str, shadow: Shadow, error) -> None:
    with pytest.raises(error):
        ShadowSettings(registry).start("m", alias, shadow)
    assert registry.settings("m").shadows == {}


def test_version_that_is_not_ready_is_no_shadow(registry: Registry) -> None:
    manifest = registry.resolve("m:2").manifest
    registry.set_state(manifest, registry.readiness(manifest).with_status("refused"))
    with pytest.raises(VersionNotReady):
        ShadowSettings(registry).start("m", "production", Shadow(version=2, rate=5))


def test_shadow_of_a_split_is_none_of_its_versions(registry: Registry) -> None:
    Changes(registry).set_alias("m", "production", {1: 90, 2: 10})
    with pytest.raises(RegistryConflict, match="m:2 is the version of this alias already"):
        ShadowSettings(registry).start("m", "production", Shadow(version=2, rate=5))
    with pytest.raises(NotFound, match="has no shadow"):
        ShadowSettings(registry).stop("m", "production")
