"""Reads the ids of predictions from a body: a JSON list, or lines of NDJSON."""

import msgspec
from a2wsgi.asgi_typing import HTTPScope, Receive

from api.bulk.answer import NDJSON
from api.bulk.headers import content_type, is_compressed, length
from api.bulk.lines import MAX_LINES
from telemetry.errors import Invalid, Malformed, TooLarge, UnsupportedMediaType

MAX_IDS_BYTES = 2**20
"""Longest body in bytes: ids are 36 characters."""
MAX_ID_CHARS = 100


class _Identified(msgspec.Struct):
    """A line of the answer to a bulk submission, which may be sent back as it came."""

    id: str = ""
    code: str = ""
    """The code of a problem. Without an id the line was refused, so it has no outcome."""


_list = msgspec.json.Decoder(list[str])
_one = msgspec.json.Decoder(str | _Identified)


async def read_ids(scope: HTTPScope, receive: Receive) -> list[str]:
    """The ids in the body; raises `UnsupportedMediaType`, `TooLarge`, `Malformed` or `Invalid`."""
    kind = content_type(scope)
    if is_compressed(scope) or kind not in (NDJSON, "application/json"):
        raise UnsupportedMediaType(f"a list as application/json, or lines as {NDJSON}")
    if (length(scope) or 0) > MAX_IDS_BYTES:
        raise _too_long()
    event = await receive()
    body: bytes = event["body"]  # type: ignore[typeddict-item]  # complete, see `BodyReceiver`
    if len(body) > MAX_IDS_BYTES:
        raise _too_long()
    try:
        ids = _list.decode(body) if kind != NDJSON else _read_lines(body)
    except msgspec.ValidationError as error:
        raise Invalid(f"a list of ids is expected: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error
    return _bounded(ids)


def _read_lines(body: bytes) -> list[str]:
    found = [_one.decode(line) for line in body.split(b"\n") if line.strip()]
    if any(isinstance(each, _Identified) and not each.id and not each.code for each in found):
        raise Invalid("expected a list of ids, but an object has no `id`")
    ids = (each if isinstance(each, str) else each.id for each in found)
    return [task_id for task_id in ids if task_id]


def _bounded(ids: list[str]) -> list[str]:
    if not ids:
        raise Invalid("at least one id is expected")
    if len(ids) > MAX_LINES:
        raise TooLarge(f"a request may have at most {MAX_LINES} ids")
    if any(len(task_id) > MAX_ID_CHARS for task_id in ids):
        raise Invalid(f"an id has at most {MAX_ID_CHARS} characters")
    return ids


def _too_long() -> TooLarge:
    return TooLarge(f"the body may have at most {MAX_IDS_BYTES} bytes")
