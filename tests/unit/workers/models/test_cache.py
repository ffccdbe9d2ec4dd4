"""Which models a full cache keeps."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.changes import Changes
from registry.store import Registry
from tests.support.models import described
from workers.models.cache import CAPACITY, ModelCache
from workers.models.current import current, is_current


def version(number: int, name: str = "m") -> Any:
    return SimpleNamespace(name=name, version=number, sha256="0")


def held(cache: ModelCache) -> list[int]:
    return [int(reference.partition(":")[2]) for reference in cache.held()]


def test_versions_are_loaded_once() -> None:
    loaded: list[int] = []
    cache = ModelCache(lambda m: loaded.append(m.version), lambda *_: False)
    for number in (1, 2, 1):
        cache.get(version(number))
    assert (loaded, held(cache)) == ([1, 2], [2, 1])


def test_cache_evicts_old_versions_only() -> None:
    cache = ModelCache(lambda m: m, lambda name, number: number <= 3)
    for number in range(1, 3 * CAPACITY):
        cache.get(version(number))
    latest = range(3 * CAPACITY - (CAPACITY - 3), 3 * CAPACITY)
    assert held(cache) == [1, 2, 3, *latest]


def test_old_versions_share_one_place_in_the_cache() -> None:
    """The latest old version is kept: the pool waits until a process is forked that holds it."""
    cache = ModelCache(lambda m: m, lambda name, number: number <= CAPACITY)
    for number in range(1, 2 * CAPACITY):
        cache.get(version(number))
    assert held(cache) == [*range(2, CAPACITY + 1), 2 * CAPACITY - 1]


def test_unloadable_version_evicts_nothing() -> None:
    def load(manifest: Any) -> None:
        if manifest.version > CAPACITY:
            raise ValueError

    cache = ModelCache(load, lambda *_: False)
    for number in range(1, CAPACITY + 1):
        cache.get(version(number))
    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        cache.get(version(CAPACITY + 1))
    assert held(cache) == [*range(1, CAPACITY + 1)]


def test_cache_keeps_latest_and_aliased_versions(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for content in (b"1", b"2", b"3"):
        registry.add("m", described(content), content)
    registry.add("n", described(b"n"), b"n")
    Changes(registry).set_alias("m", "production", 1)
    assert [manifest.reference for manifest in current(registry)] == ["m:1", "m:3", "n:1"]
    found = [number for number in range(5) if is_current(registry, "m", number)]
    assert found == [1, 3]
    shutil.rmtree(tmp_path / "models")
    assert not is_current(registry, "m", 1)
    assert not is_current(registry, "nobody", 1)
