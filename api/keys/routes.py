"""Keys over HTTP. A token is in the answer that makes it, and in no other one."""

import time
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body
from api.http.responses import json_response
from tasks.callers.scopes import Scope
from tasks.ledger.api_keys.api_key import ApiKey, KeyState
from tasks.ledger.api_keys.key_store import MAX_OVERLAP_SECONDS, KeyStore
from tasks.ledger.api_keys.new_key import DAY, NewKey

NO_STORE = {"Cache-Control": "no-store"}


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /keys/<id>/rotate`; optional."""

    overlap_seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_OVERLAP_SECONDS)] = DAY
    """For how long the previous secret remains valid."""


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without its secret. Times are Unix seconds."""

    id: str
    name: str
    state: KeyState
    scopes: tuple[Scope, ...]
    tenant: str
    models: tuple[str, ...]
    rate: str | None
    rows: str | None
    in_flight: int | None
    weight: float
    """Its share while several callers wait, relative to a key of weight 1."""
    networks: tuple[str, ...]
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    rotated_until: float | None
    """When the previous secret ceases to be valid, after a rotation."""
    last_used_at: float | None
    """When it was last used, to a minute."""
    token: str | msgspec.UnsetType = msgspec.UNSET
    """The key itself; only in the answer that makes it."""


class ShownKeys(msgspec.Struct, frozen=True):
    """The answer to `GET /keys`, the oldest first."""

    keys: list[ShownKey]


class KeyViews:
    """The views."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("keys", __name__)
        routes.get("/keys")(self.index)
        routes.post("/keys")(self.create)
        routes.get("/keys/<id>")(self.show)
        routes.delete("/keys/<id>")(self.revoke)
        routes.post("/keys/<id>/rotate")(self.rotate)
        return routes

    def index(self) -> Response:
        """List the keys of Redis."""
        uses = self._store.last_uses()
        return json_response(ShownKeys([shown_key(k, uses.get(k.id)) for k in self._store.all()]))

    def create(self) -> Response:
        """Make a key; the answer has its token, which is not stored."""
        key, token = self._store.create(read_body(request, NewKey).key())
        headers = {"Location": f"/keys/{key.id}", **NO_STORE}
        return json_response(shown_key(key, None, token), 201, headers)

    def show(self, id: str) -> Response:
        """Show one key, by id or name."""
        key = self._store.get(id)
        return json_response(shown_key(key, self._store.last_uses().get(key.id)))

    def rotate(self, id: str) -> Response:
        """Give a key a new secret."""
        key, token = self._store.rotate(id, read_body(request, Rotation).overlap_seconds)
        used = self._store.last_uses().get(key.id)
        return json_response(shown_key(key, used, token), headers=NO_STORE)

    def revoke(self, id: str) -> Response:
        """Revoke a key. Within five seconds, every process refuses it."""
        key = self._store.revoke(id)
        return json_response(shown_key(key, self._store.last_uses().get(key.id)))


def shown_key(
    key: ApiKey, used: float | None, token: str | msgspec.UnsetType = msgspec.UNSET
) -> ShownKey:
    """A key as callers with the scope `admin` see it. ``used``: Unix seconds of its last use."""
    rate, rows = key.limits.rate, key.limits.rows
    return ShownKey(
        id=key.id,
        name=key.name,
        state=key.state(time.time()),
        scopes=key.scopes,
        tenant=key.tenant,
        models=key.models,
        rate=str(rate) if rate else None,
        rows=str(rows) if rows else None,
        in_flight=key.limits.in_flight,
        weight=key.weight,
        networks=key.networks,
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        rotated_until=max((s.until for s in key.secrets if s.until), default=None),
        last_used_at=used,
        token=token,
    )
