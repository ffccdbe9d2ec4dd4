"""Metadata and readiness of the server and its models, in the form of the protocol."""

from importlib.metadata import version as version_of_package

import msgspec
from flask import Blueprint, Response

from api.http.responses import json_response
from api.open_inference.availability import Availability
from api.open_inference.tensors.describing import TensorMetadata, input_tensors, output_tensors
from api.operations.routes import Operations
from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import Unavailable

EXTENSIONS = ["binary_tensor_data", "model_repository", "parameters"]
"""Extensions of the protocol, by Triton's names."""


class ServerMetadata(msgspec.Struct, frozen=True):
    """The server."""

    name: str
    version: str
    extensions: list[str]


class ServerHealth(msgspec.Struct, frozen=True):
    """Whether the server is live and ready."""

    live: bool
    ready: bool


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """A model, with the tensors of the version that was asked for."""

    name: str
    versions: list[str]
    """Numbers of the versions that are ready."""
    platform: str
    """The format of the artifact."""
    inputs: list[TensorMetadata]
    """Columns; a single tensor of the shape [rows, columns] will do as well."""
    outputs: list[TensorMetadata]
    """Methods; the main one, such as `predict`, is the default."""


class ModelReadiness(msgspec.Struct, frozen=True):
    """Says that a model is ready."""

    name: str
    version: str
    ready: bool


class MetadataViews:
    """The views."""

    def __init__(
        self, registry: Registry, availability: Availability, operations: Operations
    ) -> None:
        self._registry = registry
        self._availability, self._operations = availability, operations
        self._server = ServerMetadata("predictq", version_of_package("predictq"), EXTENSIONS)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("inference_metadata", __name__)
        routes.get("/v2")(self.server)
        routes.get("/v2/health/live")(self.live)
        routes.get("/v2/health/ready")(self.ready)
        for path in ("/v2/models/<name>", "/v2/models/<name>/versions/<version>"):
            routes.get(path)(self.model)
            routes.get(f"{path}/ready")(self.model_ready)
        return routes

    def server(self) -> Response:
        """Name, version and extensions of the server."""
        return json_response(self._server)

    def live(self) -> Response:
        """Answer 200 whenever this process works."""
        return json_response(ServerHealth(live=True, ready=True))

    def ready(self) -> Response:
        """Answer 200 if Redis answers and a worker is alive."""
        self._check_workers()
        return json_response(ServerHealth(live=True, ready=True))

    def model(self, name: str, version: str | None = None) -> Response:
        """The tensors of a version, by default the latest one."""
        manifest = self._manifest(name, version)
        signature = manifest.signature
        return json_response(
            ModelMetadata(
                name=name,
                versions=[*map(str, self._ready_versions(manifest.name))],
                platform=manifest.format,
                inputs=input_tensors(signature),
                outputs=output_tensors(signature, self._registry.golden_rows(manifest)),
            )
        )

    def model_ready(self, name: str, version: str | None = None) -> Response:
        """Answer 200 if a prediction of the version submitted now would be computed."""
        manifest = self._manifest(name, version)
        self._check_workers()
        self._availability.check(manifest, self._availability.now())
        return json_response(ModelReadiness(name, str(manifest.version), ready=True))

    def _manifest(self, name: str, version: str | None) -> Manifest:
        return self._registry.resolve(name if version is None else f"{name}:{version}").manifest

    def _ready_versions(self, name: str) -> list[int]:
        found = self._registry.versions(name)
        return [m.version for m in found if self._registry.readiness(m).status == "ready"]

    def _check_workers(self) -> None:
        if not self._operations.readiness().ready:
            raise Unavailable("Redis does not answer, or no worker is running")
