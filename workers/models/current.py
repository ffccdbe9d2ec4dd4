"""The versions that requests without a number mean: of each model the latest and the aliased."""

from collections.abc import Iterator

from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import PredictqError


def current(registry: Registry) -> Iterator[Manifest]:
    """All of them, model by model."""
    for name in registry.models():
        numbers = _numbers(registry, name)
        yield from (m for m in registry.versions(name) if m.version in numbers)


def is_current(registry: Registry, name: str, version: int) -> bool:
    """Whether this is one of them; not where the registry cannot say it."""
    try:
        return version in _numbers(registry, name)
    except (PredictqError, OSError):
        return False


def _numbers(registry: Registry, name: str) -> set[int]:
    return {registry.versions(name)[-1].version, *registry.aliases(name).values()}
