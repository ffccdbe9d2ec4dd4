"""The models that a process holds, loaded once, the least recently used dropped."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from registry.manifest import Manifest

CAPACITY = 32


class ModelCache:
    """Loaded estimators by the manifest they were loaded for.

    The whole manifest is the key: a version that was removed and made anew is another one.
    """

    def __init__(self, load: Callable[[Manifest], Any]) -> None:
        self._load = load
        self._held: OrderedDict[tuple[str, int, str], Any] = OrderedDict()

    def get(self, manifest: Manifest) -> Any:
        """The estimator; loads it at its first use. Raises what loading raises."""
        key = (manifest.name, manifest.version, manifest.sha256)
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        estimator = self._held[key] = self._load(manifest)
        if len(self._held) > CAPACITY:
            self._held.popitem(last=False)
        return estimator

    def held(self) -> list[str]:
        """What is held, as model:version, the least recently used first."""
        return [f"{name}:{version}" for name, version, _ in self._held]
