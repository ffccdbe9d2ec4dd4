"""The page at the root: how the stack is, for people, and where the rest lies."""

from pathlib import Path

import msgspec
from flask import Response, request, send_from_directory

from api.http.responses import answer

STATIC = Path(__file__).parents[1] / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "Vary": "Accept",
}
MEDIA_TYPES = ("text/html", "application/json")


class Links(msgspec.Struct, frozen=True):
    """What the page links to."""

    docs: str = "/docs"
    openapi: str = "/openapi.json"
    models: str = "/models"
    ready: str = "/ready"
    stats: str = "/stats"
    metrics: str = "/metrics"


def static(name: str) -> Response:
    """A file of the page."""
    response = send_from_directory(STATIC, name, max_age=3600)
    response.direct_passthrough = False  # with it, werkzeug never closes the response
    return response


def front_page() -> Response:
    """The page; its links alone for who would rather have JSON."""
    rather = request.accept_mimetypes.best_match(MEDIA_TYPES)
    page = (
        answer(Links()) if rather == MEDIA_TYPES[1] else send_from_directory(STATIC, "front.html")
    )
    page.headers.update(HEADERS)
    return page
