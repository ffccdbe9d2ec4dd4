"""Current versions: each model's latest that is ready, and those that an alias names."""

from collections.abc import Iterator

from registry.deployments.deployment import environment_of, model_of
from registry.manifest import Manifest
from registry.splits import versions_in
from registry.store import Registry
from telemetry.errors import PredictqError


def current(registry: Registry, queue: str = "") -> Iterator[Manifest]:
    """Manifests of all current versions, model by model; of a deployment's queue, its own."""
    if name := model_of(queue):
        yield from _deployed(registry, name, environment_of(queue) or "")
        return
    for name in registry.models():
        numbers = _numbers(registry, name)
        yield from (m for m in registry.versions(name) if m.version in numbers)


def _deployed(registry: Registry, name: str, environment: str) -> Iterator[Manifest]:
    """The versions of an alias; none if it, or its model, was removed meanwhile."""
    try:
        numbers = versions_in([registry.aliases(name)[environment]])
        yield from (m for m in registry.versions(name) if m.version in numbers)
    except (KeyError, PredictqError):
        return


def is_current(registry: Registry, name: str, version: int) -> bool:
    """Whether a version is current; False if the registry cannot be read."""
    try:
        return version in _numbers(registry, name)
    except (PredictqError, OSError):
        return False


def _numbers(registry: Registry, name: str) -> set[int]:
    latest = registry.latest(name)
    return versions_in(registry.aliases(name).values()) | (set() if latest is None else {latest})
