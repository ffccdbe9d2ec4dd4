"""Resolves references in a worker, telling a version that is gone from a registry that is away."""

from collections.abc import Iterator
from contextlib import contextmanager

from registry.store import Registry
from registry.versions import Resolved
from telemetry.errors import NotFound, RegistryUnavailable


def is_away(registry: Registry) -> bool:
    """Whether this worker cannot find or read the registry now."""
    try:
        return not registry.exists
    except OSError:
        return True


def resolve(registry: Registry, reference: str) -> Resolved:
    """As `Registry.resolve`, but raises `RegistryUnavailable` if the registry cannot be read.

    A registry on an unmounted volume looks empty, so `NotFound` is raised only if it is there.
    """
    with reading_registry():
        try:
            return registry.resolve(reference)
        except NotFound as error:
            if registry.exists:
                raise
            raise RegistryUnavailable("this worker cannot find the registry") from error


def resolve_pinned(registry: Registry, reference: str) -> Resolved:
    """Resolve a ``name:version`` that our front end has found, so it must have existed.

    If this worker does not find it, its cache may be stale, so it reads the registry again. Raises
    `NotFound` if the version was removed, and `RegistryUnavailable` if it is still not found.
    """
    try:
        return resolve(registry, reference)
    except NotFound:
        with reading_registry():
            if registry.has_removed(reference):
                raise
    registry.forget()
    try:
        return resolve(registry, reference)
    except NotFound as error:
        message = f"this worker cannot find {reference}; make sure that it reads the API's registry"
        raise RegistryUnavailable(message) from error


@contextmanager
def reading_registry() -> Iterator[None]:
    """Raise `RegistryUnavailable` for an `OSError` of the block."""
    try:
        yield
    except OSError as error:
        message = f"this worker cannot read the registry: {error.strerror}"
        raise RegistryUnavailable(message) from error
