"""The page at `/`: the state of the stack, and links to everything else."""

from pathlib import Path

import msgspec
from flask import Response, request, send_from_directory

from api.http.responses import json_response

STATIC = Path(__file__).parents[1] / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "Vary": "Accept",
}
MEDIA_TYPES = ("text/html", "application/json")


class Links(msgspec.Struct, frozen=True):
    """The links of the front page, as JSON."""

    docs: str = "/docs"
    openapi: str = "/openapi.json"
    models: str = "/models"
    ready: str = "/ready"
    stats: str = "/stats"
    metrics: str = "/metrics"


def static(name: str) -> Response:
    """Serve a static file of the page."""
    response = send_from_directory(STATIC, name, max_age=3600)
    response.direct_passthrough = False  # with it, werkzeug never closes the response
    return response


def front_page() -> Response:
    """Serve the page as HTML, or its links as JSON, by the `Accept` header."""
    rather = request.accept_mimetypes.best_match(MEDIA_TYPES)
    page = (
        json_response(Links())
        if rather == MEDIA_TYPES[1]
        else send_from_directory(STATIC, "front.html")
    )
    page.headers.update(HEADERS)
    return page
