"""An API key: what is stored of it, and what a token proves."""

import logging
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from tasks.callers.caller import (
    DEFAULT_TENANT,
    EVERY_MODEL,
    NO_LIMITS,
    Caller,
    Limits,
    flow_name,
)
from tasks.callers.scopes import Scope
from tasks.callers.tokens import Token
from tasks.key_files import LOCAL_ID
from telemetry.errors import Forbidden, Invalid, KeyExpired, KeyInvalid, KeyRevoked

log = logging.getLogger(__name__)
KeyState = Literal["active", "expired", "revoked"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[\w .@-]+$(?!\n)")]
Tenant = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$(?!\n)")]
Weight = Annotated[float, msgspec.Meta(ge=0.01, le=100)]
Glob = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Secret(msgspec.Struct, frozen=True, omit_defaults=True):
    """A secret that opens a key, as a hash."""

    sha256: bytes
    until: float | None = None
    """Unix seconds at which it ends, after a rotation."""

    def opens(self, token: Token, now: float) -> bool:
        """Whether the token is this secret, and its time is not over."""
        return token.matches(self.sha256) and (self.until is None or now < self.until)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """A key. Times are Unix seconds."""

    id: str
    name: Name
    scopes: tuple[Scope, ...]
    secrets: tuple[Secret, ...]
    created_at: float
    tenant: Tenant = DEFAULT_TENANT
    models: Annotated[tuple[Glob, ...], msgspec.Meta(min_length=1, max_length=50)] = EVERY_MODEL
    limits: Limits = NO_LIMITS
    weight: Weight = 1.0
    """How many times the share of a key of weight 1 is computed for it while others wait, too."""
    networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    """Addresses from which it may be used, as CIDR; none is any."""
    expires_at: float | None = None
    revoked_at: float | None = None

    @cached_property
    def caller(self) -> Caller:
        """The caller that presents the key."""
        return Caller(
            scopes=frozenset(self.scopes),
            key=self.id,
            name=self.name,
            tenant=self.tenant,
            models=self.models,
            limits=self.limits,
            flow=self._flow,
        )

    @cached_property
    def _networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(map(read_network, self.networks))

    @property
    def _flow(self) -> str:
        # The command and the client send the local key for the same people who send none.
        return "" if self.id == LOCAL_ID else flow_name(self.id, self.weight)

    def state(self, now: float) -> KeyState:
        """Whether it can be used."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def check(self, token: Token, address: str, now: float) -> Caller:
        """The caller that presents a token from an address.

        Raises `KeyInvalid`, `KeyExpired`, `KeyRevoked`, or `Forbidden` for another address.
        """
        # The secret is checked first, so that a caller without it learns nothing about the key.
        if not any(secret.opens(token, now) for secret in self.secrets):
            raise KeyInvalid
        state = self.state(now)
        if state == "revoked":
            raise KeyRevoked
        if state == "expired":
            raise KeyExpired
        if self.networks and not self._admits(address):
            raise Forbidden(f"this key may not be used from {address or 'here'}")
        return self.caller

    def _admits(self, address: str) -> bool:
        try:
            sender = ip_address(address)
        except ValueError:
            return False
        # A dual-stack socket reports IPv4 callers as IPv4-mapped IPv6 addresses.
        sender = getattr(sender, "ipv4_mapped", None) or sender
        return any(sender in network for network in self._networks)

    def rotated(self, token: Token, now: float, overlap: float) -> "ApiKey":
        """The key with a new secret; the one before works for ``overlap`` seconds more."""
        before = replace(self.secrets[0], until=now + overlap)
        return replace(self, secrets=(Secret(token.hash), before))


def read_network(text: str) -> IPv4Network | IPv6Network:
    """Read an address or CIDR; raises `Invalid`."""
    try:
        return ip_network(text)
    except ValueError as error:
        raise Invalid(f"{text[:100]!r} is not a network such as 10.0.0.0/8: {error}") from None


_decoder = msgspec.json.Decoder(ApiKey)


def encode_key(key: ApiKey) -> bytes:
    """A key as JSON."""
    return msgspec.json.encode(key)


def decode_key(text: bytes | str) -> ApiKey:
    """The key that a text holds; raises `msgspec.DecodeError`."""
    return _decoder.decode(text)


def read_stored_key(key_id: str, text: bytes) -> ApiKey | None:
    """The key that a text from Redis holds; None, with a log line, for one that cannot be read."""
    try:
        return decode_key(text)
    except msgspec.DecodeError as error:
        log.error("a key in Redis cannot be read: %s", error, extra={"key": key_id})
        return None
