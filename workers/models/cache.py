"""Cache of loaded models; evicts old versions before current ones."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from registry.manifest import Manifest

CAPACITY = 32
"""Most models that a process holds."""


class ModelCache:
    """Least-recently-used cache of loaded models by name, version and SHA-256.

    The SHA-256 is part of the key because a version can be removed and registered anew.
    """

    def __init__(
        self, load: Callable[[Manifest], Any], is_current: Callable[[str, int], bool]
    ) -> None:
        """``is_current``: whether a version is a model's latest, or has an alias."""
        self._load, self._is_current = load, is_current
        self._held: OrderedDict[tuple[str, int, str], Any] = OrderedDict()

    def get(self, manifest: Manifest) -> Any:
        """The model, loaded at its first use; raises what ``load`` raises."""
        key = _key(manifest)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        estimator = self._load(manifest)
        if len(self._held) == CAPACITY:
            del self._held[self._evictable()]
        self._held[key] = estimator
        return estimator

    def drop(self, manifest: Manifest) -> None:
        """Forget a version, if it is held."""
        self._held.pop(_key(manifest), None)

    def held(self) -> list[str]:
        """Versions in the cache, as model:version, the least recently used first."""
        return [f"{name}:{version}" for name, version, _ in self._held]

    def _evictable(self) -> tuple[str, int, str]:
        """The least recently used key that is not current; if all are, the least recently used."""
        old = (key for key in self._held if not self._is_current(*key[:2]))
        return next(old, next(iter(self._held)))


def _key(manifest: Manifest) -> tuple[str, int, str]:
    return (manifest.name, manifest.version, manifest.sha256)
