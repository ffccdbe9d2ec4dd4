"""Models and versions over HTTP."""

from contextlib import suppress
from typing import Any

import msgspec
from flask import Blueprint, Response, request
from werkzeug.routing import BaseConverter

from api.callers.current import current_caller
from api.http.responses import json_response
from api.models.changing import version_number
from api.models.registration_routes import RegistrationViews
from registry.manifest import Environment, Manifest, Signature
from registry.names import checked_name
from registry.readiness import ReadinessStatus
from registry.splits import Meaning
from registry.storage.model_settings import CacheSetting
from registry.store import Registry
from telemetry.errors import NotFound, VersionNotFound

_STATE_FIELDS = ("status", "reason")


class ModelName(BaseConverter):
    """A name in a path. It excludes ``status``, so that its 405 lists its own methods."""

    regex = r"(?!status$)[^/]+"
    part_isolating = True


class ModelSummary(msgspec.Struct):
    """A model with its version numbers and aliases."""

    name: str
    latest: int | None
    """The highest version that is ready, which the bare name means; null if none is."""
    versions: list[int]
    aliases: dict[str, Meaning]
    """Alias → its version, or the percent of each version of a split."""
    cache: CacheSetting
    """Whether an answer that was computed for the same rows is reused; or for how many seconds."""


class Models(msgspec.Struct):
    """Every registered model."""

    models: list[ModelSummary]


class Version(msgspec.Struct, kw_only=True):
    """One version of a model: its artifact, signature and limits."""

    version: int
    status: ReadinessStatus
    """`ready` once the version's gate has passed; names and aliases mean ready versions only."""
    reason: str
    """Why the version was refused; empty unless it was."""
    sha256: str
    size: int
    format: str
    estimator: str
    parameters: dict[str, str]
    libraries: dict[str, str]
    """Library → version where the version was registered; `python` too."""
    environment: Environment | None
    """The environment that it runs in; null for the one that versions share."""
    signature: Signature
    metadata: dict[str, str]
    """Texts given at registration, such as metrics."""
    example: list[Any] | None
    created_at: str
    max_queue_seconds: float | None
    """Default of a submission's `max_queue_seconds`; null means no limit."""
    timeout_seconds: float | None
    """Default of a submission's `timeout_seconds`."""


class Model(ModelSummary):
    """A model with all of its versions, oldest first."""

    details: list[Version]


class ModelViews:
    """The views."""

    def __init__(self, registry: Registry, registrations: RegistrationViews) -> None:
        self._registry, self._registrations = registry, registrations

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("models", __name__)
        routes.get("/models")(self.index)
        routes.record_once(lambda setup: setup.app.url_map.converters.update(model=ModelName))
        routes.get("/models/<model:name>")(self.show)
        routes.get("/models/<name>/versions/<version>")(self.version)
        return routes

    def index(self) -> Response:
        """List all models."""
        names = filter(current_caller(request).sees, self._registry.models())
        return json_response(Models([ModelSummary(**self._summary(name)) for name in names]))

    def show(self, name: str) -> Response:
        """Show one model with all of its versions."""
        details = [self._version(manifest) for manifest in self._registry.versions(name)]
        return json_response(Model(**self._summary(name), details=details))

    def version(self, name: str, version: str) -> Response:
        """Show one version; of one that is checked or was refused, what its gate says."""
        name, number = checked_name(name), version_number(version)
        if not self._registrations.is_pending(name, number):
            try:
                found = self._registry.resolve(f"{name}:{number}")
                return json_response(self._version(found.manifest))
            except NotFound:
                with suppress(VersionNotFound):  # the first error says more
                    return json_response(self._registrations.state(name, number))
                raise
        return json_response(self._registrations.state(name, number))

    def _summary(self, name: str) -> dict[str, Any]:
        numbers = [manifest.version for manifest in self._registry.versions(name)]
        aliases = self._registry.aliases(name)
        latest = self._registry.latest(name)
        return {
            "name": name,
            "latest": latest,
            "versions": numbers,
            "aliases": aliases,
            "cache": self._registry.settings(name).cache,
        }

    def _version(self, manifest: Manifest) -> Version:
        state = self._registry.readiness(manifest)
        fields = {
            f: getattr(manifest, f) for f in Version.__struct_fields__ if f not in _STATE_FIELDS
        }
        return Version(**fields, status=state.status, reason=state.reason)
