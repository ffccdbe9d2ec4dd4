"""Pause and resume a version over HTTP."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body
from api.http.responses import json_response
from registry.names import parse_reference
from registry.store import Registry
from tasks.ledger.pauses.pauses import Pauses


class PauseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a pause; optional."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] = "paused by an operator"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a resume, a load or an unload; optional and empty."""


class PauseState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a version is paused."""

    model: str
    """The version, as model:version."""
    paused: bool
    changed: bool
    """Whether this request changed it."""


class PauseViews:
    """The views."""

    def __init__(self, pauses: Pauses, registry: Registry) -> None:
        self._pauses = pauses
        self._registry = registry

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("pauses", __name__)
        routes.post("/models/<name>/versions/<version>/pause")(self.pause)
        routes.post("/models/<name>/versions/<version>/resume")(self.resume)
        return routes

    def pause(self, name: str, version: str) -> Response:
        """Refuse submissions to a version, and park what is queued, until it is resumed."""
        change = read_body(request, PauseRequest)
        reference = self._registry.resolve(f"{name}:{version}").manifest.reference
        changed = self._pauses.pause(reference, change.reason)
        return json_response(PauseState(model=reference, paused=True, changed=changed))

    def resume(self, name: str, version: str) -> Response:
        """End a pause, automatic or by an operator; also of a version that was removed."""
        read_body(request, Nothing)
        parse_reference(reference := f"{name}:{version}")
        changed = self._pauses.resume(reference)
        return json_response(PauseState(model=reference, paused=False, changed=changed))
