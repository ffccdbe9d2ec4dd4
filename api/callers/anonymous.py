"""Callers without a key: their scopes depend on the address on which the API listens."""

from tasks.callers.caller import LOCAL_CALLER, UNKNOWN_CALLER, Caller
from tasks.hosts import is_loopback
from tasks.settings import Settings


def anonymous_caller(address: str, settings: Settings) -> Caller:
    """A caller without a key, for an API that listens on this address.

    Raises `ValueError` if others than this machine could reach an API that asks for no keys.
    """
    if settings.require_keys:
        return UNKNOWN_CALLER
    if is_loopback(address) or settings.insecure:
        return LOCAL_CALLER
    raise ValueError(
        f"{address} can be reached from other machines: set PREDICTQ_REQUIRE_KEYS=1, so that every "
        "request needs a key, or say --insecure (PREDICTQ_INSECURE=1) to serve everyone who can "
        "reach it"
    )
