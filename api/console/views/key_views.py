"""The page of API keys: list them, make one, rotate and revoke. A secret is shown once."""

from typing import Any

from flask import Blueprint, Response, request

from api.console.notices import see_other
from api.console.rendering import Pages
from api.http.conversion import converted
from api.keys.routes import shown_key
from tasks.callers.scopes import ROLES, SCOPES
from tasks.ledger.api_keys.api_key import ApiKey
from tasks.ledger.api_keys.key_store import KeyStore
from tasks.ledger.api_keys.new_key import DAY, NewKey
from telemetry.errors import Invalid

MAX_SHOWN_KEYS = 200
"""Keys that the page lists: those that can be used, then the newest."""
_LISTS = "models", "networks"
"""Fields of the form that take several values, with commas between them."""


class KeyPages:
    """The views. Each needs the scope `admin`, as the routes of keys do."""

    def __init__(self, store: KeyStore, pages: Pages) -> None:
        self._store, self._pages = store, pages

    def add_to(self, routes: Blueprint) -> None:
        """Add the routes."""
        routes.get("/keys")(self.keys)
        routes.post("/keys")(self.create)
        routes.post("/keys/<id>/rotate")(self.rotate)
        routes.post("/keys/<id>/revoke")(self.revoke)

    def keys(self) -> Response:
        """The keys of Redis."""
        return self._shown()

    def create(self) -> Response:
        """Make the key that the form describes, and show it."""
        return self._shown(*self._store.create(key_asked_for(request.form.to_dict(flat=False))))

    def rotate(self, id: str) -> Response:
        """Give a key a new secret, and show it; the one before works for a day more."""
        return self._shown(*self._store.rotate(id, DAY))

    def revoke(self, id: str) -> Response:
        """End a key."""
        self._store.revoke(id)
        return see_other("/console/keys", "key-revoked")

    def _shown(self, made: ApiKey | None = None, token: str = "") -> Response:
        uses, known = self._store.last_uses(), self._store.all()
        shown = [shown_key(key, uses.get(key.id)) for key in known]
        shown.sort(key=lambda key: (key.state != "active", -key.created_at))
        return self._pages.show(
            "keys.html",
            "API keys",
            keys=shown[:MAX_SHOWN_KEYS],
            total=len(shown),
            made=made,
            token=token,
            roles=ROLES,
            scopes=SCOPES,
        )


def key_asked_for(form: dict[str, list[str]]) -> ApiKey:
    """The key that a form describes, still without a secret; raises `Invalid`."""
    given: dict[str, Any] = {name: values[0].strip() for name, values in form.items()}
    given |= {name: _parts(given[name]) for name in _LISTS if given.get(name)}
    given["scopes"] = form.get("scopes", [])
    days = given.pop("expires_days", "")
    if days:
        given["expires_seconds"] = _number(days) * DAY
    told = {name: value for name, value in given.items() if value}
    return converted(told, NewKey, strict=False).key()  # a form has texts alone


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"a number of days, not {text[:100]!r}") from None
