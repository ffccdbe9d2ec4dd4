"""Pauses over HTTP: an operator ends them, or begins one."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body
from api.http.responses import answer
from registry.names import parse
from registry.store import Registry
from tasks.ledger.pauses.pauses import Pauses


class PauseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a pause, which may be left out."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] = "paused by an operator"


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of the end of a pause, which may be left out."""


class PauseState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a version is paused now."""

    model: str
    """As model:version."""
    paused: bool
    changed: bool
    """Whether it was otherwise before."""


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
        wish = read_body(request, PauseRequest)
        reference = self._registry.resolve(f"{name}:{version}").manifest.reference
        changed = self._pauses.pause(reference, wish.reason)
        return answer(PauseState(model=reference, paused=True, changed=changed))

    def resume(self, name: str, version: str) -> Response:
        """End a pause, whatever began it; of a version that was removed, too."""
        read_body(request, Nothing)
        parse(reference := f"{name}:{version}")
        changed = self._pauses.resume(reference)
        return answer(PauseState(model=reference, paused=False, changed=changed))
