"""Current versions: each model's latest that is ready, and those that an alias names."""

from collections.abc import Iterator

from registry.manifest import Manifest
from registry.splits import versions_in
from registry.store import Registry
from telemetry.errors import PredictqError


def current(registry: Registry) -> Iterator[Manifest]:
    """Manifests of all current versions, model by model."""
    for name in registry.models():
        numbers = _numbers(registry, name)
        yield from (m for m in registry.versions(name) if m.version in numbers)


def is_current(registry: Registry, name: str, version: int) -> bool:
    """Whether a version is current; False if the registry cannot be read."""
    try:
        return version in _numbers(registry, name)
    except (PredictqError, OSError):
        return False


def _numbers(registry: Registry, name: str) -> set[int]:
    latest = registry.latest(name)
    return versions_in(registry.aliases(name).values()) | (set() if latest is None else {latest})
