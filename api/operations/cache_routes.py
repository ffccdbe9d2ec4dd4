"""The setting of a model's cache over HTTP."""

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body
from api.http.responses import json_response
from api.models.changing import changing
from registry.changes import Changes
from registry.storage.model_settings import CacheSetting
from registry.store import Registry


class CacheChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `PUT /models/<name>/cache`."""

    cache: CacheSetting
    """Whether an answer that was computed for the same rows is reused: false, true for as long as
    it is worth by what it cost, or for how many seconds."""


class CacheState(msgspec.Struct, frozen=True, kw_only=True):
    """The setting of a model's cache."""

    model: str
    cache: CacheSetting
    varying: list[int]
    """Versions whose answers are never reused: two calls with the same row differed when they were
    registered."""


class CacheViews:
    """The view."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("cache", __name__)
        routes.put("/models/<name>/cache")(self.change)
        return routes

    def change(self, name: str) -> Response:
        """Set whether, and for how long, answers of a model are reused."""
        with changing():
            change = read_body(request, CacheChange)
            Changes(self._registry).set_cache(name, change.cache)
            varying = self._registry.varying(name)
            return json_response(CacheState(model=name, cache=change.cache, varying=varying))
