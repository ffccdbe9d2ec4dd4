"""Which models a full cache keeps, by their bytes."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from registry.changes import Changes
from registry.store import Registry
from tests.support.models import described
from workers.models.cache import ModelCache
from workers.models.current import current, is_current

GIB = 2**30
"""Size of a version in these tests: more than a process grows by chance meanwhile."""
PLACES = 4


def version(number: int, name: str = "m", size: int = GIB) -> Any:
    return SimpleNamespace(name=name, version=number, sha256="0", size=size)


def cache_of(is_current: Any = lambda *_: False, load: Any = lambda m: m) -> ModelCache:
    return ModelCache(load, is_current, PLACES * GIB)


def held(cache: ModelCache) -> list[int]:
    return [int(reference.partition(":")[2]) for reference in cache.held()]


def test_cache_loads_versions_once() -> None:
    loaded: list[int] = []
    cache = cache_of(load=lambda m: loaded.append(m.version))
    for number in (1, 2, 1):
        cache.get(version(number))
    assert (loaded, held(cache)) == ([1, 2], [2, 1])


def test_cache_evicts_the_least_recently_used_old_versions() -> None:
    cache = cache_of(lambda name, number: number <= 2)
    for number in (1, 2, 3, 4, 3, 5, 6):
        cache.get(version(number))
    assert held(cache) == [1, 2, 5, 6]


def test_cache_holds_any_number_of_small_versions() -> None:
    cache = cache_of()
    for number in range(100):
        cache.get(version(number, size=1))
    assert held(cache) == [*range(100)]


def test_cache_evicts_as_many_as_a_large_version_needs() -> None:
    cache = cache_of()
    for number in range(PLACES):
        cache.get(version(number))
    cache.get(version(PLACES, size=3 * GIB))
    assert held(cache) == [PLACES - 1, PLACES]
    cache.get(version(9, size=9 * GIB))
    assert held(cache) == [9]


def test_cache_never_evicts_current_versions_for_old_ones() -> None:
    """The latest old version is kept: the pool waits until a process is forked that holds it."""
    cache = cache_of(lambda name, number: number <= PLACES)
    for number in (*range(1, PLACES + 1), 8, 9):
        cache.get(version(number))
    assert held(cache) == [*range(1, PLACES + 1), 9]


def test_cache_evicts_a_current_version_for_another() -> None:
    cache = cache_of(lambda *_: True)
    for number in range(1, PLACES + 2):
        cache.get(version(number))
    assert held(cache) == [*range(2, PLACES + 2)]


def test_cache_counts_what_a_version_takes_beyond_its_artifact() -> None:
    made: list[bytearray] = []

    def load(manifest: Any) -> None:
        made.append(bytearray(2 * 2**26))

    cache = ModelCache(load, lambda *_: False, 3 * 2**26)
    for number in (1, 2):
        cache.get(version(number, size=1))
    assert held(cache) == [2]


def test_cache_evicts_nothing_for_a_version_that_cannot_be_loaded() -> None:
    def load(manifest: Any) -> None:
        if manifest.version > PLACES:
            raise ValueError

    cache = cache_of(load=load)
    for number in range(1, PLACES + 1):
        cache.get(version(number))
    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        cache.get(version(PLACES + 1))
    assert held(cache) == [*range(1, PLACES + 1)]


def test_cache_keeps_latest_and_aliased_versions(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for content in (b"1", b"2", b"3"):
        registry.add("m", described(content), content)
    registry.add("n", described(b"n"), b"n")
    Changes(registry).set_alias("m", "production", 1)
    assert [manifest.reference for manifest in current(registry)] == ["m:1", "m:3", "n:1"]
    found = [number for number in range(5) if is_current(registry, "m", number)]
    assert found == [1, 3]
    Changes(registry).set_alias("m", "production", {1: 90, 2: 10})
    assert [manifest.reference for manifest in current(registry)] == ["m:1", "m:2", "m:3", "n:1"]
    Changes(registry).set_alias("m", "production", 1)
    shutil.rmtree(tmp_path / "models")
    assert not is_current(registry, "m", 1)
    assert not is_current(registry, "nobody", 1)


def test_cache_knows_what_loading_took() -> None:
    cache = cache_of(load=lambda _: time.sleep(0.01))
    cache.get(version(1))
    cost = cache.held()["m:1"]
    assert cost.memory_bytes >= GIB
    assert cost.seconds >= 0.01
