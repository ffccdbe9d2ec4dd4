"""What a reference means, as far as this worker can tell: where the registry is away, it cannot."""

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
    try:
        return registry.resolve(reference)
    except OSError as error:
        message = f"this worker cannot read the registry: {error.strerror}"
        raise RegistryUnavailable(message) from error
    except NotFound as error:
        if registry.is_there:
            raise
        raise RegistryUnavailable("this worker finds no registry") from error
