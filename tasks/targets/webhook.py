"""A webhook: an address that a caller names, and the events that are sent to it."""

from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tasks.settings import Settings
from tasks.targets.addresses import is_public, literal_address
from telemetry.errors import Detail, Invalid

EventType = Literal[
    "prediction.succeeded",
    "prediction.failed",
    "prediction.expired",
    "prediction.cancelled",
    "batch.completed",
    "batch.failed",
    "batch.cancelled",
]
MAX_URL_CHARS = 2048
"""In characters."""
PORTS = {"https": 443, "http": 80}
Url = Annotated[str, Meta(min_length=1, max_length=MAX_URL_CHARS)]
EventTypes = Annotated[list[EventType], Meta(min_length=1, max_length=7)]


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to send an event once there is an outcome."""

    url: Url
    """It receives a signed POST for each event; see the Standard Webhooks."""
    events: EventTypes | UnsetType = UNSET
    """The events to send; all by default."""


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """A webhook as Redis has it."""

    url: str
    origin: str
    """Scheme, host and port: what may get only so many events at a time."""
    events: tuple[EventType, ...] = ()
    """Empty for all."""
    traceparent: str = ""
    """Of the span that sent its subject, if that is sampled."""


def target(webhook: Webhook, settings: Settings) -> Target:
    """Check the address of a webhook; raises `Invalid` for one that may not be used.

    What its name resolves to is checked when an event is sent: it may change until then.
    """
    try:
        parts = urlsplit(webhook.url)
        port = port_of(parts)
    except ValueError as error:
        raise _refused(f"the URL cannot be read: {error}") from error
    if reason := _refusal(webhook.url, parts, port, settings):
        raise _refused(reason)
    origin = f"{parts.scheme}://{parts.hostname}:{port}"
    return Target(webhook.url, origin, tuple(webhook.events or ()))


def port_of(parts: SplitResult) -> int | None:
    """The port of a URL; None for a scheme that has none here."""
    return parts.port or PORTS.get(parts.scheme)


def _refused(reason: str) -> Invalid:
    told = f"webhook.url: {reason}"
    return Invalid(told, errors=[Detail(("webhook", "url"), reason)])


def _refusal(url: str, parts: SplitResult, port: int | None, settings: Settings) -> str | None:
    if port is None or not parts.hostname:
        return "it must be an https:// address with a host"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it may only have printable ASCII characters; percent-encode the others"
    if parts.username is not None or parts.fragment:
        return "it may have neither a user nor a fragment"
    if settings.webhooks_allow_local:
        return None
    if parts.scheme == "http" and not settings.webhooks_allow_http:
        return "it must begin with https://"
    if port not in PORTS.values():
        return "its port must be 443 or 80"
    address = literal_address(parts.hostname)
    return None if address is None or is_public(address) else "its address is not public"
