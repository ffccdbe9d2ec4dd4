"""The models that a process holds, loaded once; old versions are dropped before current ones."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from registry.manifest import Manifest

CAPACITY = 32


class ModelCache:
    """Loaded estimators by the manifest they were loaded for.

    The whole manifest is the key: a version that was removed and made anew is another one.
    """

    def __init__(
        self, load: Callable[[Manifest], Any], is_current: Callable[[str, int], bool]
    ) -> None:
        """``is_current``: whether requests that name no number mean this version of a model."""
        self._load, self._is_current = load, is_current
        self._held: OrderedDict[tuple[str, int, str], Any] = OrderedDict()

    def get(self, manifest: Manifest) -> Any:
        """The estimator; loads it at its first use. Raises what loading raises."""
        key = (manifest.name, manifest.version, manifest.sha256)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        estimator = self._load(manifest)
        if len(self._held) == CAPACITY:
            del self._held[self._dispensable()]
        self._held[key] = estimator
        return estimator

    def held(self) -> list[str]:
        """What is held, as model:version, the least recently used first."""
        return [f"{name}:{version}" for name, version, _ in self._held]

    def _dispensable(self) -> tuple[str, int, str]:
        """The least recently used that is not current; where all are, the least recently used."""
        old = (key for key in self._held if not self._is_current(*key[:2]))
        return next(old, next(iter(self._held)))
