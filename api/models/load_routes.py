"""Versions are loaded and unloaded over HTTP, in all workers."""

import time
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body
from api.http.responses import json_response
from api.limits.concurrency import ConcurrencyLimit
from api.models.changing import version_number
from api.models.pause_routes import Nothing
from registry.manifest import Manifest
from registry.store import Registry
from registry.versions import check_ready
from tasks.ledger.queue.directives import Directives, report_of
from tasks.ledger.queue.workers import Workers
from telemetry.errors import Busy, ModelUnloadable, Unavailable

WORKERS_WAIT_SECONDS = 20
"""Seconds to wait for all workers: less than the usual timeout of clients."""
LOAD_LOOK_SECONDS = 0.2
"""Seconds between two looks at the heartbeats."""


class LoadState(msgspec.Struct, frozen=True, kw_only=True):
    """The progress of a request to load or unload a version."""

    model: str
    """The version, as model:version."""
    loaded: bool
    """Whether the request was to load, or to unload."""
    workers: list[str]
    """Workers that have done it."""
    waiting_for: list[str]
    """Workers that have not done it yet."""


class LoadViews:
    """The views, and what the protocol's routes share with them."""

    def __init__(
        self,
        registry: Registry,
        directives: Directives,
        workers: Workers,
        threads: int,
    ) -> None:
        """``threads``: how many may wait for workers at once."""
        self._registry = registry
        self._directives, self._workers = directives, workers
        self._waiting = ConcurrencyLimit(threads)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("loads", __name__)
        routes.post("/models/<name>/versions/<version>/load")(self.load)
        routes.post("/models/<name>/versions/<version>/unload")(self.unload)
        return routes

    def load(self, name: str, version: str) -> Response:
        """Have every worker load a version; answers once all have, or 202 after 20 s."""
        return self._answer(name, version, loads=True)

    def unload(self, name: str, version: str) -> Response:
        """Have every worker unload a version; the next prediction loads it again."""
        return self._answer(name, version, loads=False)

    def _answer(self, name: str, version: str, *, loads: bool) -> Response:
        read_body(request, Nothing)
        manifest = self._registry.resolve(f"{name}:{version_number(version)}").manifest
        state = self.tell_workers(manifest, loads=loads)
        return json_response(state, 202 if state.waiting_for else 200)

    def tell_workers(self, manifest: Manifest, *, loads: bool) -> LoadState:
        """Tell all workers to load or unload a version, and wait until they have.

        Raises `VersionNotReady`, `Unavailable` if no worker is running, `ModelUnloadable` if one
        cannot load it, and `Busy`.
        """
        if loads:
            check_ready(manifest.name, manifest.version, self._registry.readiness(manifest))
        with self._waiting.one() as free:
            if not free:
                raise Busy("too many versions are being loaded; try again later")
            given = self._directives.give(manifest.reference, loads=loads)
            return self._waited(manifest.reference, given, loads=loads)

    def _waited(self, reference: str, id: str, *, loads: bool) -> LoadState:
        deadline = time.monotonic() + WORKERS_WAIT_SECONDS
        while True:
            state = self._state(reference, id, loads=loads)
            if not state.waiting_for or time.monotonic() > deadline:
                return state
            time.sleep(LOAD_LOOK_SECONDS)

    def _state(self, reference: str, id: str, *, loads: bool) -> LoadState:
        workers = self._workers.alive()
        if not workers:
            raise Unavailable("no worker is running")
        _raise_failure(reference, id, workers)
        done = {each["name"] for each in workers if report_of(each).is_done(id)}
        return LoadState(
            model=reference,
            loaded=loads,
            workers=sorted(done),
            waiting_for=sorted(each["name"] for each in workers if each["name"] not in done),
        )


def _raise_failure(reference: str, id: str, workers: list[dict[str, Any]]) -> None:
    for each in workers:
        if reason := report_of(each).fault(id):
            raise ModelUnloadable(f"{each['name']} cannot load {reference}: {reason}")
