"""Serves `/`: a redirect to the console, and links for programs."""

from pathlib import Path

import msgspec
from flask import Response, request, send_from_directory

from api.http.responses import json_response

STATIC = Path(__file__).parents[1] / "static"
HEADERS = {"Vary": "Accept"}
MEDIA_TYPES = ("text/html", "application/json")


class Links(msgspec.Struct, frozen=True):
    """Addresses of the API, as JSON."""

    console: str = "/console"
    docs: str = "/docs"
    openapi: str = "/openapi.json"
    models: str = "/models"
    ready: str = "/ready"
    stats: str = "/stats"
    metrics: str = "/metrics"


def static(name: str) -> Response:
    """Serve a static file of the documentation."""
    response = send_from_directory(STATIC, name, max_age=3600)
    response.direct_passthrough = False  # with it, werkzeug never closes the response
    return response


def front_page() -> Response:
    """Lead to the console, or answer the links as JSON, by the `Accept` header."""
    rather = request.accept_mimetypes.best_match(MEDIA_TYPES)
    if rather == MEDIA_TYPES[1]:
        return json_response(Links(), headers=HEADERS)
    return Response(status=303, headers={**HEADERS, "Location": "/console"})
