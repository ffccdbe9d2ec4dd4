"""The model repository of the protocol: which versions there are; load and unload."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

import msgspec
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.http.operator_bodies import read_body
from api.http.responses import json_response
from api.models.load_routes import LoadViews
from api.open_inference.availability import Availability, Now
from api.open_inference.tensors.reading import TENSOR_TYPES
from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import Invalid, ModelNotFound, TimedOut, Unavailable

ModelState = Literal["READY", "UNAVAILABLE"]


class IndexRequest(msgspec.Struct, frozen=True):
    """The body of `POST /v2/repository/index`; optional."""

    ready: bool = False
    """Whether only versions that are ready are listed."""


class RepositoryRequest(msgspec.Struct, frozen=True):
    """The body of a request to load or unload; optional."""

    parameters: dict[str, Any] = {}


class IndexedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version in the index."""

    name: str
    version: str
    state: ModelState
    reason: str
    """Why it is unavailable."""


class RepositoryViews:
    """The views; load and unload need the local key."""

    def __init__(self, registry: Registry, loads: LoadViews, availability: Availability) -> None:
        self._registry = registry
        self._loads, self._availability = loads, availability

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("repository", __name__)
        routes.post("/v2/repository/index")(self.index)
        routes.post("/v2/repository/models/<name>/load")(self.load)
        routes.post("/v2/repository/models/<name>/unload")(self.unload)
        return routes

    def index(self) -> Response:
        """List all versions, with their states."""
        wish = read_body(request, IndexRequest, TENSOR_TYPES)
        now = self._availability.now()
        known = self._known(now)
        return json_response([each for each in known if each.state == "READY" or not wish.ready])

    def load(self, name: str) -> Response:
        """Have every worker load the version that a name means, or each of its split."""
        return self._told(name, loads=True)

    def unload(self, name: str) -> Response:
        """Have every worker unload it; the next inference loads it again."""
        return self._told(name, loads=False)

    def _known(self, now: Now) -> Iterator[IndexedVersion]:
        """All versions, but those of models that are removed meanwhile."""
        for name in filter(current_caller(request).sees, self._registry.models()):
            with suppress(ModelNotFound):
                yield from [self._indexed(each, now) for each in self._registry.versions(name)]

    def _told(self, name: str, *, loads: bool) -> Response:
        wish = read_body(request, RepositoryRequest, TENSOR_TYPES)
        if loads and wish.parameters:
            raise Invalid(
                "a load takes no configuration and no files: upload them to "
                "/models/<name>/versions, where the gate checks them"
            )
        states = [self._loads.tell_workers(each, loads=loads) for each in self._meant(name)]
        if late := sorted({worker for state in states for worker in state.waiting_for}):
            raise TimedOut(f"{', '.join(late)} may still do it; look again later")
        return json_response(states[0])

    def _meant(self, name: str) -> list[Manifest]:
        """The version that a name means; of an alias that is split, each, the main one first."""
        found = self._registry.resolve(name)
        split = found.split.versions.values() if found.split else ()
        others = [each.manifest for each in split if each.manifest != found.manifest]
        return [found.manifest, *others]

    def _indexed(self, manifest: Manifest, now: Now) -> IndexedVersion:
        state: ModelState = "READY"
        reason = ""
        try:
            self._availability.check(manifest, now)
        except Unavailable as error:
            state, reason = "UNAVAILABLE", error.message
        number = str(manifest.version)
        return IndexedVersion(name=manifest.name, version=number, state=state, reason=reason)
