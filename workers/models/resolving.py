"""What a reference means, as far as this worker can tell: where the registry is away, it cannot."""

from collections.abc import Iterator
from contextlib import contextmanager

from registry.store import Registry, Resolved
from telemetry.errors import NotFound, RegistryUnavailable


def is_away(registry: Registry) -> bool:
    """Whether this worker cannot read the registry now, or does not find it."""
    try:
        return not registry.is_there
    except OSError:
        return True


def resolve(registry: Registry, reference: str) -> Resolved:
    """See `Registry`; raises `RegistryUnavailable` where it is away, as a volume may be.

    What was removed from a registry that is there stays `NotFound`.
    """
    with _reading():
        try:
            return registry.resolve(reference)
        except NotFound as error:
            if registry.is_there:
                raise
            raise RegistryUnavailable("this worker finds no registry") from error


def resolve_pinned(registry: Registry, reference: str) -> Resolved:
    """The same for a ``name:version`` that our front end found, so that it was there.

    Where this worker does not find it, what it knows may be old: it reads everything again.
    `RegistryUnavailable` where that does not help, and `NotFound` where the version was removed.
    """
    try:
        return resolve(registry, reference)
    except NotFound:
        with _reading():
            if registry.has_removed(reference):
                raise
    registry.forget()
    try:
        return resolve(registry, reference)
    except NotFound as error:
        message = f"this worker does not find {reference}; see that it reads the API's registry"
        raise RegistryUnavailable(message) from error


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"this worker cannot read the registry: {error.strerror}"
        raise RegistryUnavailable(message) from error
