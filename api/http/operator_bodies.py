"""Reads small JSON bodies and query strings into structs."""

from collections.abc import Collection

from flask import Request

from api.http.conversion import Kind, converted
from tasks.wire import decode
from telemetry.errors import Invalid, TooLarge, UnsupportedMediaType

MAX_OPERATOR_BODY_BYTES = 65_536
"""Longest body in bytes."""


def read_body(
    request: Request, kind: type[Kind], types: Collection[str] = ("application/json",)
) -> Kind:
    """Read a JSON body of one of these content types; an empty body is an empty object.

    Raises `TooLarge`, `UnsupportedMediaType`, `Malformed` or `Invalid`.
    """
    # A body without Content-Length is truncated here; one byte more shows that it was too long.
    request.max_content_length = MAX_OPERATOR_BODY_BYTES + 1
    # A body whose length is announced as too long is not read at all.
    body = (
        b""
        if (request.content_length or 0) > MAX_OPERATOR_BODY_BYTES
        else request.get_data(cache=False)
    )
    if (request.content_length or 0) > MAX_OPERATOR_BODY_BYTES or len(
        body
    ) > MAX_OPERATOR_BODY_BYTES:
        raise TooLarge(f"the body may have at most {MAX_OPERATOR_BODY_BYTES} bytes")
    if not body:
        return converted({}, kind)
    if request.mimetype not in types:
        raise UnsupportedMediaType
    return converted(decode(body), kind)


def read_query(request: Request, kind: type[Kind]) -> Kind:
    """Read the query string; raises `Invalid`."""
    try:
        given = request.args.to_dict(flat=False)
    except UnicodeDecodeError as error:
        raise Invalid("the query is not UTF-8; write other bytes as %xx") from error
    # `to_dict` of Werkzeug would take the first and say nothing.
    if twice := [name for name, values in given.items() if len(values) > 1]:
        raise Invalid(f"{twice[0][:100]!r} is given more than once")
    return converted({name: value for name, (value,) in given.items()}, kind, strict=False)
