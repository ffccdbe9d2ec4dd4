"""A version, its artifact and its sample over HTTP."""

from contextlib import ExitStack
from typing import Any

import msgspec
from flask import Blueprint, Response

from api.http.downloads import download, open_output
from api.http.responses import json_response
from api.limits.concurrency import ConcurrencyLimit
from api.models.changing import version_number
from registry.manifest import Manifest
from registry.store import Registry
from telemetry.errors import NotFound


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The golden rows of a version."""

    columns: list[str]
    rows: list[list[Any]]
    """Rows of the sample, their values in the order of the columns."""
    answers: dict[str, list[Any]]
    """Method → one answer of the model for each row."""


class ArtifactViews:
    """The views; each download holds a slot of a `ConcurrencyLimit`."""

    def __init__(self, registry: Registry, downloads: int) -> None:
        self._registry = registry
        self._downloads = ConcurrencyLimit(downloads)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("artifacts", __name__)
        routes.get("/models/<name>/versions/<version>/artifact")(self.artifact)
        routes.get("/models/<name>/versions/<version>/sample")(self.sample)
        return routes

    def artifact(self, name: str, version: str) -> Response:
        """Download the artifact, or a range of it."""
        manifest = self._permitted(name, version)

        def opened(stack: ExitStack) -> Response:
            file = stack.enter_context(open_output(self._registry.artifact(manifest)))
            named = f"{name}-{manifest.version}.{manifest.format}"
            return download(file, named, "application/octet-stream")

        return self._downloads.limited(opened)

    def sample(self, name: str, version: str) -> Response:
        """The first rows of the sample, with the model's own answers."""
        manifest = self._permitted(name, version)
        golden = self._registry.golden_rows(manifest)
        if golden is None:
            raise NotFound(f"{manifest.reference} was registered without a sample")
        columns = [column.name for column in manifest.signature.columns]
        return json_response(Sample(columns=columns, rows=golden.rows, answers=golden.answers))

    def _permitted(self, name: str, version: str) -> Manifest:
        return self._registry.resolve(f"{name}:{version_number(version)}").manifest
