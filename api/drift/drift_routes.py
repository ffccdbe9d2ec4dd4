"""The route that shows the drift of a version."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request
from msgspec import UNSET, UnsetType

from api.drift.looking import DAY_HOURS, DriftLook
from api.http.operator_bodies import read_query
from api.http.responses import json_response
from api.models.alias_routes import ROLLED_BACK, Number
from registry.manifest import Manifest
from registry.names import checked_name
from registry.store import Registry
from tasks.drift.counts import KEPT_HOURS


class DriftQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of `GET /models/<name>/drift`."""

    version: Number | UnsetType = UNSET
    """By default the one that `production` means, else the latest."""
    hours: Annotated[int, msgspec.Meta(ge=1, le=KEPT_HOURS)] = DAY_HOURS
    """How many hours to compare, the current one included."""


class DriftViews:
    """The view."""

    def __init__(self, registry: Registry, look: DriftLook) -> None:
        self._registry, self._look = registry, look

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("drift", __name__)
        routes.get("/models/<name>/drift")(self.show)
        return routes

    def show(self, name: str) -> Response:
        """Show how far rows and answers of a version have drifted from its sample."""
        query = read_query(request, DriftQuery)
        manifest = self._manifest(checked_name(name), query.version)
        return json_response(self._look.look(manifest, query.hours))

    def _manifest(self, name: str, version: int | UnsetType) -> Manifest:
        if not isinstance(version, UnsetType):
            return self._registry.resolve(f"{name}:{version}").manifest
        has_alias = ROLLED_BACK in self._registry.aliases(name)
        reference = f"{name}@{ROLLED_BACK}" if has_alias else name
        return self._registry.resolve(reference).manifest
