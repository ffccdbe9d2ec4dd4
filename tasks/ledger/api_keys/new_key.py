"""The fields of a new key, given over HTTP or on the command line."""

import time
from typing import Annotated

import msgspec

from tasks.callers.caller import DEFAULT_TENANT, EVERY_MODEL, Limits
from tasks.callers.rate import Rate
from tasks.callers.scopes import SCOPES, scopes_of
from tasks.ledger.api_keys.api_key import ApiKey, Glob, Name, Tenant, Weight, read_network

DAY = 86_400.0


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /keys`."""

    name: Name
    scopes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=50)]
    """Scopes, or roles: ``viewer``, ``operator``, ``admin``."""
    tenant: Tenant = DEFAULT_TENANT
    models: Annotated[tuple[Glob, ...], msgspec.Meta(min_length=1, max_length=50)] = EVERY_MODEL
    """Globs of the models that it sees."""
    rate: str | None = None
    """Most predictions in a period, such as ``100/s``."""
    rows: str | None = None
    """Most rows in a period, such as ``1e6/h``."""
    in_flight: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    """Most predictions that are accepted and have no outcome."""
    weight: Weight = 1.0
    """Its share while several callers wait, relative to a key of weight 1."""
    expires_seconds: Annotated[float, msgspec.Meta(gt=0, le=3650 * DAY)] | None = None
    networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=50)] = ()
    """Addresses from which it may be used, as CIDR."""

    def key(self) -> ApiKey:
        """The key, still without a secret; raises `Invalid`."""
        now = time.time()
        scopes = scopes_of(self.scopes)
        for network in self.networks:
            read_network(network)
        return ApiKey(
            id="",
            name=self.name,
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            secrets=(),
            created_at=now,
            tenant=self.tenant,
            models=self.models,
            limits=Limits(
                _rate(self.rate),
                _rate(self.rows),
                self.in_flight,
            ),
            weight=self.weight,
            networks=self.networks,
            expires_at=now + self.expires_seconds if self.expires_seconds else None,
        )


def _rate(text: str | None) -> Rate | None:
    return None if text is None else Rate.parse(text)
