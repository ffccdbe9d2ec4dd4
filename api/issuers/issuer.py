"""The issuers whose JWTs the API takes, as a file in TOML describes them."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from tasks.callers.caller import DEFAULT_TENANT, EVERY_MODEL, Limits
from tasks.callers.rate import Rate
from tasks.callers.scopes import scopes_of
from tasks.hosts import is_loopback
from tasks.ledger.api_keys.api_key import Glob, Tenant, Weight
from telemetry.errors import Invalid

Rsa = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
Algorithm = Rsa | Literal["ES256", "ES384", "ES512", "EdDSA"]
"""Only those in which what checks a signature can make none."""
_Url = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^https?://[^\s?#]+$(?!\n)")]
Claim = str | Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=5)]
"""The name of a claim; or several, each of a claim inside the one before."""


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An issuer, and what its JWTs say of their callers."""

    issuer: _Url
    """As the claim ``iss`` has it, to the letter; its discovery document lies below it."""
    audiences: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """The claim ``aud`` must have one of them."""
    algorithms: Annotated[tuple[Algorithm, ...], msgspec.Meta(min_length=1)] = ("RS256",)
    scopes: tuple[str, ...] = ()
    """Scopes or roles of every caller."""
    scopes_claim: Claim | None = None
    """The claim with further scopes or roles."""
    groups_claim: Claim | None = None
    groups: dict[str, tuple[str, ...]] = {}
    """Group → scopes or roles of its members."""
    tenant: Tenant = DEFAULT_TENANT
    tenant_claim: Claim | None = None
    """The claim with the tenant, instead of ``tenant``."""
    models: Annotated[tuple[Glob, ...], msgspec.Meta(min_length=1, max_length=50)] = EVERY_MODEL
    models_claim: Claim | None = None
    """The claim with the globs of the models, instead of ``models``."""
    rate: str | None = None
    """Most predictions of each subject in a period, such as ``100/s``."""
    rows: str | None = None
    """Most rows of each subject in a period."""
    in_flight: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """Most predictions of each subject that have no outcome."""
    weight: Weight = 1.0
    """The share of each subject while several callers wait."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for what says something that cannot be."""
        if not is_confidential(self.issuer):
            raise ValueError(f"{self.issuer} must be https://, as it is not on this machine")
        if bool(self.groups) != (self.groups_claim is not None):
            raise ValueError("`groups` and `groups_claim` belong together")
        try:
            scopes_of([*self.scopes, *(name for names in self.groups.values() for name in names)])
            _ = self.limits
        except Invalid as error:
            raise ValueError(error.message) from None

    @property
    def limits(self) -> Limits:
        """The limits of each subject."""
        rate, rows = (Rate.parse(text) if text else None for text in (self.rate, self.rows))
        return Limits(rate, rows, self.in_flight)


class _Issuers(msgspec.Struct, forbid_unknown_fields=True):
    issuers: Annotated[tuple[Issuer, ...], msgspec.Meta(min_length=1, max_length=20)]


def read_issuers(path: Path) -> tuple[Issuer, ...]:
    """The issuers in a file; raises `OSError`, or `ValueError` that says what is wrong."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text()), _Issuers).issuers
    except (ValueError, msgspec.ValidationError) as error:
        raise ValueError(f"{path}: {error}") from None
    if len({each.issuer for each in found}) < len(found):
        raise ValueError(f"{path}: an issuer stands in it twice")
    return found


def is_confidential(url: str) -> bool:
    """Whether the network cannot read or change the answers of an address."""
    parts = urlsplit(url)
    return parts.scheme == "https" or is_loopback(parts.hostname or "")
