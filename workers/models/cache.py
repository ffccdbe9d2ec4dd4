"""Cache of loaded models, bounded by their bytes; evicts old versions before current ones."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec

from registry.manifest import Manifest
from telemetry.memory import available_memory
from workers.memory_limit import data_bytes
from workers.protocol import LoadCost

_Key = tuple[str, int, str]


def models_budget() -> int:
    """Bytes of models that a process may hold: a quarter of the memory that workers may use.

    Pool processes may take half of it, see `workers.memory_limit.share_of_one`.
    """
    return available_memory() // 4


class _Held(msgspec.Struct, frozen=True):
    model: Any
    cost: LoadCost


class ModelCache:
    """Least-recently-used cache of loaded models by name, version and SHA-256.

    The SHA-256 is part of the key because a version can be removed and registered anew. Beyond the
    budget old versions are evicted. Only a current version makes another current one leave, so
    requests for old versions cannot evict production; the last old one stays in any case.
    """

    def __init__(
        self,
        load: Callable[[Manifest], Any],
        is_current: Callable[[str, int], bool],
        budget: int,
    ) -> None:
        """``is_current``: whether a version is a model's latest, or has an alias.

        ``budget``: see `models_budget`.
        """
        self._load, self._is_current, self._budget = load, is_current, budget
        self._held: OrderedDict[_Key, _Held] = OrderedDict()

    def get(self, manifest: Manifest) -> Any:
        """The model, loaded at its first use; raises what ``load`` raises."""
        key = _key(manifest)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key].model
        before, started = data_bytes(), time.perf_counter()
        model = self._load(manifest)
        grown, seconds = data_bytes() - before, time.perf_counter() - started
        self._held[key] = _Held(model, LoadCost(max(manifest.size, grown), round(seconds, 3)))
        self._evict_beside(key)
        return model

    def drop(self, reference: str) -> bool:
        """Forget a version, as model:version; whether it was held."""
        found = [key for key in self._held if _reference(key) == reference]
        for key in found:
            del self._held[key]
        return bool(found)

    def held(self) -> dict[str, LoadCost]:
        """Versions in the cache, as model:version, the least recently used first."""
        return {_reference(key): held.cost for key, held in self._held.items()}

    def _evict_beside(self, loaded: _Key) -> None:
        """Evict others than the version that was just loaded, while all take too much."""
        excess = sum(held.cost.memory_bytes for held in self._held.values()) - self._budget
        if excess <= 0:
            return
        for key in self._evictable(loaded):
            excess -= self._held.pop(key).cost.memory_bytes
            if excess <= 0:
                return

    def _evictable(self, loaded: _Key) -> list[_Key]:
        """Old versions, then current ones if ``loaded`` is current; least recently used first."""
        others = [key for key in self._held if key != loaded]
        old = [key for key in others if not self._is_current(*key[:2])]
        if not self._is_current(*loaded[:2]):
            return old
        return old + [key for key in others if key not in old]


def _reference(key: _Key) -> str:
    return f"{key[0]}:{key[1]}"


def _key(manifest: Manifest) -> _Key:
    return (manifest.name, manifest.version, manifest.sha256)
