"""Reads the headers of a bulk request."""

from a2wsgi.asgi_typing import HTTPScope

from api.asgi.plain import field, key_of
from api.predictions.submission import checked_key


def content_type(scope: HTTPScope) -> str:
    """The media type of the body without parameters; empty unless there is exactly one."""
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return types[0].partition(b";")[0].strip().lower().decode("latin-1") if len(types) == 1 else ""


def is_compressed(scope: HTTPScope) -> bool:
    """Whether the body is compressed, which is refused."""
    return field(scope, b"content-encoding").lower() not in ("", "identity")


def length(scope: HTTPScope) -> int | None:
    """The announced length of the body in bytes; None if there is none."""
    given = field(scope, b"content-length")
    return int(given) if given.isdigit() else None


def read_key(scope: HTTPScope) -> str | None:
    """The `Idempotency-Key`; None if it was not sent. Raises `Invalid`."""
    key = key_of(scope)
    return None if key is None else checked_key(key)
