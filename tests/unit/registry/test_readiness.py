"""Which versions a name may mean, by their state."""

from pathlib import Path

import pytest

from registry.changes import Changes
from registry.readiness import READY, GoldenRows, Readiness
from registry.store import Registry
from telemetry.errors import NotFound, VersionNotReady
from tests.support.models import described

CHECKING = Readiness("checking")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


def add(registry: Registry, artifact: bytes, state: Readiness = READY, **options):
    return registry.add("m", described(artifact), artifact, state=state, **options)


def test_readiness_decides_what_a_bare_name_means(registry: Registry) -> None:
    add(registry, b"one")
    second = add(registry, b"two", CHECKING)
    assert (registry.resolve("m").manifest.version, registry.latest("m")) == (1, 1)
    registry.set_state(second, CHECKING.with_status("refused", "wrong answers"))
    assert registry.resolve("m").manifest.version == 1
    registry.set_state(second, registry.readiness(second).with_status("ready"))
    assert registry.resolve("m").manifest == second


def test_readiness_is_seen_by_another_registry_at_once(registry: Registry, tmp_path: Path) -> None:
    manifest, other = add(registry, b"one", CHECKING), Registry(tmp_path)
    assert other.readiness(manifest) == CHECKING
    registry.set_state(manifest, CHECKING.with_status("ready"))
    assert other.resolve("m").manifest == manifest


def test_readiness_is_not_needed_by_an_exact_reference(registry: Registry) -> None:
    assert registry.resolve(add(registry, b"one", CHECKING).reference).manifest.version == 1


def test_readiness_is_explained_if_no_version_is_ready(registry: Registry) -> None:
    add(registry, b"one", CHECKING)
    add(registry, b"two", CHECKING.with_status("refused", "row 3 differs"))
    with pytest.raises(VersionNotReady, match="m:2 is refused: row 3 differs; `predictq models"):
        registry.resolve("m")
    assert registry.latest("m") is None


def test_readiness_is_required_by_an_alias(registry: Registry) -> None:
    add(registry, b"one", alias="production")
    add(registry, b"two", CHECKING)
    with pytest.raises(VersionNotReady, match="m:2 is checking"):
        Changes(registry).set_alias("m", "production", 2)
    assert registry.aliases("m") == {"production": 1}


def test_readiness_goes_with_its_version(registry: Registry) -> None:
    manifest = add(registry, b"one", CHECKING, golden=GoldenRows([[1.0]], {"predict": [2.0]}))
    assert registry.golden_rows(manifest) == GoldenRows([[1.0]], {"predict": [2.0]})
    Changes(registry).remove("m", 1)
    with pytest.raises(NotFound):
        registry.set_state(manifest, READY)
    again = add(registry, b"one", version=1)
    assert (registry.readiness(again), registry.golden_rows(again)) == (READY, None)
    assert registry.resolve("m").manifest.version == 1


def test_readiness_of_a_version_without_a_state_file(registry: Registry, tmp_path: Path) -> None:
    manifest = add(registry, b"one", CHECKING)
    (tmp_path / "models" / "m" / "versions" / "1.state").unlink()
    assert Registry(tmp_path).readiness(manifest) == READY


def test_readiness_does_not_hide_what_a_name_has(registry: Registry) -> None:
    add(registry, b"one", CHECKING)
    second = add(registry, b"two", CHECKING.with_status("refused", "row 3 differs"))
    assert registry.named("m") == second
    registry.set_state(registry.versions("m")[0], READY)
    assert registry.named("m").version == 1
    with pytest.raises(NotFound):
        registry.named("n")
