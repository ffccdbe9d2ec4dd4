"""Recognises plain requests: those whose head has no field that only Flask handles."""

from a2wsgi.asgi_typing import HTTPScope

from api.http.prefer import Preference, parse_prefer
from api.predictions.submission import CALLER_ID

JSON_TYPES = (
    b"application/json",
    b"application/json; charset=utf-8",
    b"application/json;charset=utf-8",
)
MAX_FAST_BODY_BYTES = 2**16
"""Longest body to check on the event loop, in bytes; a longer one would block it."""
_caller_id = CALLER_ID.lower().encode()
_special = {b"content-encoding", b"transfer-encoding"}
"""Header fields that change how a body is read; only Flask handles them."""


def is_plain_submission(scope: HTTPScope, longest: int) -> bool:
    """Whether it has a JSON body of at most ``longest`` bytes, and no query."""
    fields = list(scope["headers"])
    headers = dict(fields)
    length = headers.get(b"content-length", b"")
    # `isdigit` refuses signs and spaces, which `int` would take; so many digits are enough here.
    is_short = length.isdigit() and len(length) < 6 and int(length) <= longest
    return (
        is_short
        and headers.get(b"content-type") in JSON_TYPES
        and not scope["query_string"]
        and _special.isdisjoint(headers)
        and _takes_json(headers)
        and len(headers) == len(fields)
    )


def looked_up_id(scope: HTTPScope, prefix: str) -> str:
    """The id in the path of a look-up without query or body; empty for any other request."""
    path = scope["path"]
    task_id = path.removeprefix(prefix) if path.startswith(prefix) else ""
    is_plain = scope["method"] == "GET" and "/" not in task_id and not scope["query_string"]
    headers = dict(scope["headers"])
    return task_id if is_plain and _special.isdisjoint(headers) and _takes_json(headers) else ""


def _takes_json(headers: dict[bytes, bytes]) -> bool:
    # A view weighs the two against each other.
    return b"arrow" not in headers.get(b"accept", b"").lower()


def key_of(scope: HTTPScope) -> str | None:
    """The `Idempotency-Key`, unchecked; None if it was not sent."""
    names = (name for name, _ in scope["headers"])
    return field(scope, b"idempotency-key") if b"idempotency-key" in names else None


def caller_of(scope: HTTPScope) -> str | None:
    """The `X-Caller-Id`; None if it was not sent."""
    return field(scope, _caller_id) or None


def sticky_of(scope: HTTPScope) -> str | None:
    """As `api.predictions.submission.sticky_key`, by the headers of a scope."""
    return caller_of(scope) or key_of(scope)


def preference(scope: HTTPScope) -> Preference:
    """The `Prefer` header."""
    return parse_prefer(field(scope, b"prefer"))


def field(scope: HTTPScope, wanted: bytes) -> str:
    """The values of all header fields of a name, joined by commas."""
    values = [value for name, value in scope["headers"] if name == wanted]
    return ", ".join(value.decode("latin-1").strip() for value in values)
