"""What the headers of a bulk request say."""

from a2wsgi.asgi_typing import HTTPScope

from api.http.prefer import Preference, parse_prefer
from api.predictions.submission import checked_key


def content_type(scope: HTTPScope) -> str:
    """The media type of the body without parameters; empty unless there is exactly one."""
    types = [value for name, value in scope["headers"] if name == b"content-type"]
    return types[0].partition(b";")[0].strip().lower().decode("latin-1") if len(types) == 1 else ""


def is_compressed(scope: HTTPScope) -> bool:
    """Whether the body is compressed, which is refused."""
    return _field(scope, b"content-encoding").lower() not in ("", "identity")


def length(scope: HTTPScope) -> int | None:
    """The announced length of the body in bytes; None if there is none."""
    given = _field(scope, b"content-length")
    return int(given) if given.isdigit() else None


def read_key(scope: HTTPScope) -> str | None:
    """The `Idempotency-Key`; None if it was not sent. Raises `Invalid`."""
    names = {name for name, _ in scope["headers"]}
    if b"idempotency-key" not in names:
        return None
    return checked_key(_field(scope, b"idempotency-key"))


def preference(scope: HTTPScope) -> Preference:
    """The `Prefer` header."""
    return parse_prefer(_field(scope, b"prefer"))


def _field(scope: HTTPScope, wanted: bytes) -> str:
    values = [value for name, value in scope["headers"] if name == wanted]
    return ", ".join(value.decode("latin-1").strip() for value in values)
