"""JSON responses."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from flask import Response
from werkzeug.datastructures import Headers


class JsonResponse(Response):
    """A response that skips Werkzeug's pass over its headers, which costs time per request."""

    def get_wsgi_headers(self, environ: object) -> Headers:
        """The headers unchanged: the length is set, and every path in them is ASCII."""
        return self.headers


class JsonAnswer(NamedTuple):
    """A JSON response without Werkzeug's object, which takes longer to make than all the rest."""

    status: int
    headers: dict[str, str]
    """Headers beside type and length of the body."""
    body: bytes

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """All header fields, as ASGI has them."""
        length = str(len(self.body))
        told = {**self.headers, "content-type": "application/json", "content-length": length}
        return [(name.lower().encode(), text.encode("latin-1")) for name, text in told.items()]


def json_response(
    value: msgspec.Struct | Sequence[msgspec.Struct],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Encode a struct, or several, as a JSON response."""
    return JsonResponse(
        msgspec.json.encode(value), status, headers, content_type="application/json"
    )
