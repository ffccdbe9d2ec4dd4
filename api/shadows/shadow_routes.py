"""The routes of shadows."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body, read_query
from api.http.responses import json_response
from api.models.alias_routes import ROLLED_BACK, Number
from api.models.changing import ChangeRequest, changing
from api.shadows.looking import ShadowLook
from registry.names import checked_name
from registry.shadows.shadows import ShadowSettings
from registry.storage.model_settings import Shadow
from registry.store import Registry
from tasks.shadows.shadows import Disagreement

CopyRate = Annotated[float, msgspec.Meta(gt=0, le=100)]
Tolerance = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ShadowChange(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `PUT /models/<name>/shadow`."""

    version: Number
    """The version that gets the copies."""
    rate: CopyRate
    """Percent of the alias's predictions that are copied."""
    alias: str = ROLLED_BACK
    tolerance: Tolerance = 0.01
    """By how much numbers may differ and still agree, as a part of the greater one, but of 1 at
    least."""


class ShadowQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of a look at a shadow."""

    alias: str = ROLLED_BACK


class ShadowEnd(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of `DELETE /models/<name>/shadow`."""

    alias: str = ROLLED_BACK


class Disagreements(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that the two versions answered otherwise, the newest first."""

    examples: list[Disagreement]


class ShadowViews:
    """The views."""

    def __init__(self, registry: Registry, look: ShadowLook) -> None:
        self._settings, self._look = ShadowSettings(registry), look

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("shadows", __name__)
        routes.get("/models/<name>/shadow")(self.show)
        routes.put("/models/<name>/shadow")(self.start)
        routes.delete("/models/<name>/shadow")(self.stop)
        routes.get("/models/<name>/shadow/examples")(self.examples)
        return routes

    def show(self, name: str) -> Response:
        """Show the shadow of an alias, and what was compared."""
        alias = read_query(request, ShadowQuery).alias
        return json_response(self._look.show(checked_name(name), alias))

    def start(self, name: str) -> Response:
        """Copy a share of an alias's predictions to a version from now on."""
        with changing():
            asked = read_body(request, ShadowChange)
            shadow = Shadow(version=asked.version, rate=asked.rate, tolerance=asked.tolerance)
            self._settings.start(checked_name(name), asked.alias, shadow, asked.cause)
            return json_response(self._look.show(name, asked.alias))

    def stop(self, name: str) -> Response:
        """Make no more copies; the answer is what was compared."""
        with changing():
            asked = read_query(request, ShadowEnd)
            ended = self._look.show(checked_name(name), asked.alias)
            self._settings.stop(name, asked.alias, asked.cause)
            return json_response(ended)

    def examples(self, name: str) -> Response:
        """Show rows for which the answers differed."""
        alias = read_query(request, ShadowQuery).alias
        return json_response(Disagreements(examples=self._look.examples(checked_name(name), alias)))
