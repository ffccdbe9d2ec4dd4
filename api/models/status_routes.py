"""The state of every version over HTTP: readiness, aliases, workers that hold it, counts."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.callers.seeing import seen_workers
from api.http.responses import json_response
from api.models.known_versions import KnownVersions
from api.models.registration_routes import RegisteredVersion, RegistrationViews
from registry.manifest import Manifest
from registry.readiness import ReadinessStatus
from registry.splits import Meaning, shares_of
from registry.store import Registry
from tasks.ledger.queue.workers import Workers
from tasks.ledger.statistics import Statistics


class VersionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One version, and how it is served."""

    model: str
    version: int
    status: ReadinessStatus
    reason: str
    aliases: list[str]
    """Aliases that lead to it."""
    shares: dict[str, int]
    """Alias → percent of its requests that this version gets; 100 unless the alias is split."""
    is_latest: bool
    """Whether the bare name means it."""
    paused: bool
    workers: list[str]
    """ModelNames of the live workers that hold it in memory."""
    size: int
    """Bytes of its artifact."""
    memory_bytes: int | None
    """Bytes that loading it took in a worker, the most of all; null if none holds it."""
    load_seconds: float | None
    """Seconds that loading it took in a worker, the most of all; null if none holds it."""
    call_ms: dict[str, float]
    """Rows in a call → milliseconds that the call took when the version was registered."""
    outcomes: dict[str, int]
    """State → predictions since the ledger began."""
    error_rate: float | None
    """failed / (succeeded + failed); null if there are neither."""
    p50_seconds: float | None
    p99_seconds: float | None
    """Latency from acceptance to outcome; null until there is an outcome."""


class ModelsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Every version, and the registrations that are being checked."""

    versions: list[VersionStatus]
    checking: list[RegisteredVersion]
    workers: list[dict[str, Any]]
    """Live workers, each with `name`, `processes`, `memory_bytes`, the versions `loaded`, and what
    loading each took."""


class ModelNames(NamedTuple):
    """The meaning of a name without a number."""

    latest: int | None
    aliases: dict[str, Meaning]

    def of(self, version: int) -> dict[str, int]:
        """The aliases that lead to a version, with its share of each."""
        found = ((alias, shares_of(meaning)) for alias, meaning in self.aliases.items())
        return {alias: shares[version] for alias, shares in found if version in shares}


class StatusViews:
    """The view."""

    def __init__(
        self,
        registry: Registry,
        registrations: RegistrationViews,
        existing: KnownVersions,
        workers: Workers,
    ) -> None:
        self._registry, self._registrations = registry, registrations
        self._existing, self._workers = existing, workers

    def blueprint(self) -> Blueprint:
        """The route; no model can be shown that is called `status`."""
        routes = Blueprint("status", __name__)
        routes.get("/models/status")(self.status)
        return routes

    def status(self) -> Response:
        """Show the state of every version."""
        workers = self._workers.alive()
        counted = {each.reference: each for each in self._existing.statistics()}
        paused = {each.model for each in self._existing.paused()}
        versions = [
            self._version(manifest, names, workers, counted.get(manifest.reference), paused)
            for manifest, names in self._manifests()
        ]
        caller = current_caller(request)
        checking = [each for each in self._registrations.pending() if caller.sees(each.model)]
        shown = seen_workers(caller, workers)
        return json_response(ModelsStatus(versions=versions, checking=checking, workers=shown))

    def _manifests(self) -> Iterator[tuple[Manifest, ModelNames]]:
        for name in filter(current_caller(request).sees, self._registry.models()):
            names = ModelNames(self._registry.latest(name), self._registry.aliases(name))
            for manifest in self._registry.versions(name):
                yield manifest, names

    def _version(
        self,
        manifest: Manifest,
        names: ModelNames,
        workers: list[dict[str, Any]],
        counted: Statistics | None,
        paused: set[str],
    ) -> VersionStatus:
        state, what = self._registry.readiness(manifest), manifest.reference
        outcomes, shares = counted.outcomes if counted else {}, names.of(manifest.version)
        return VersionStatus(
            model=manifest.name,
            version=manifest.version,
            status=state.status,
            reason=state.reason,
            aliases=[*shares],
            shares=shares,
            is_latest=names.latest == manifest.version,
            paused=what in paused,
            workers=[w["name"] for w in workers if what in w.get("loaded", ())],
            size=manifest.size,
            memory_bytes=_most(workers, what, "memory_bytes"),
            load_seconds=_most(workers, what, "seconds"),
            call_ms=state.call_ms,
            outcomes=outcomes,
            error_rate=_error_rate(outcomes),
            p50_seconds=counted.percentile(0.5) if counted else None,
            p99_seconds=counted.percentile(0.99) if counted else None,
        )


def _most(workers: list[dict[str, Any]], version: str, figure: str) -> Any:
    """The greatest figure of what loading a version took; None if no worker holds it."""
    costs = (worker.get("load_costs", {}).get(version) for worker in workers)
    return max((cost[figure] for cost in costs if cost), default=None)


def _error_rate(outcomes: dict[str, int]) -> float | None:
    failed = outcomes.get("failed", 0)
    total = failed + outcomes.get("succeeded", 0)
    return failed / total if total else None
