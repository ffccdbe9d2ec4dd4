"""How the views answer: a struct as JSON."""

from collections.abc import Mapping

import msgspec
from flask import Response


def answer(
    value: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON response."""
    return Response(msgspec.json.encode(value), status, headers, content_type="application/json")
