"""Resolving a version that this worker does not find although our front end did."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry.changes import Changes
from registry.store import Registry
from telemetry.errors import ModelNotFound, RegistryUnavailable, VersionNotFound
from tests.support.models import described
from workers.models.resolving import resolve, resolve_pinned


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A worker's view of a registry with one version."""
    add(tmp_path, b"one")
    registry = Registry(tmp_path)
    registry.resolve("m:1")
    return registry


def add(home: Path, artifact: bytes) -> None:
    Registry(home).add("m", described(artifact), artifact)


def change_unnoticed(home: Path, change: Callable[[], Any]) -> None:
    """Change the registry without changing the timestamp by which caches notice it."""
    generation = home / "models" / ".generation"
    before, aside = generation.stat(), generation.with_suffix(".aside")
    os.link(generation, aside)
    change()
    aside.replace(generation)
    os.utime(generation, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_resolve_pinned_looks_past_the_cache(registry: Registry, tmp_path: Path) -> None:
    change_unnoticed(tmp_path, lambda: add(tmp_path, b"two"))
    with pytest.raises(VersionNotFound):
        resolve(registry, "m:2")
    assert resolve_pinned(registry, "m:2").manifest.version == 2
    assert resolve(registry, "m").manifest.version == 2


@pytest.mark.parametrize("reference", ["m:2", "other:1"])
def test_unseen_version_is_left_for_later(registry: Registry, reference: str) -> None:
    with pytest.raises(RegistryUnavailable, match=f"cannot find {reference}"):
        resolve_pinned(registry, reference)


@pytest.mark.parametrize(("version", "error"), [(1, VersionNotFound), (None, ModelNotFound)])
def test_removed_version_is_gone(
    registry: Registry, tmp_path: Path, version: int | None, error: type[Exception]
) -> None:
    if version:
        add(tmp_path, b"two")
    Changes(Registry(tmp_path)).remove("m", version)
    with pytest.raises(error):
        resolve_pinned(registry, "m:1")


def test_registry_without_its_removed_list_is_unavailable(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(*_: Any) -> None:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(registry, "has_removed", stale)
    with pytest.raises(RegistryUnavailable, match="Stale file handle"):
        resolve_pinned(registry, "m:2")
