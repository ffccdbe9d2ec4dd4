"""Counts a body's lists and objects before parsing: parsed JSON may take 26 times its bytes."""

import re

import msgspec

from telemetry.errors import Malformed, TooLarge

CONTAINERS_PER_ROW = 4
"""Lists and objects allowed per row, the row included; unknown keys may hold some."""
OUTER_CONTAINERS = 2
"""Lists and objects around the rows: the request, and the list of rows."""
_MARKS = b'"[{'
_OTHERS = bytes(set(range(256)) - set(_MARKS))
_outside = re.compile(rb'"[^"]*"?|([^"]+)')
_unbuilt = msgspec.json.Decoder(msgspec.Raw)


def refuse_many_containers(body: bytes, rows: int) -> None:
    """Raise `TooLarge` if a body has more lists and objects than ``rows`` rows may need."""
    most = CONTAINERS_PER_ROW * (rows + OUTER_CONTAINERS)
    # Fast check first: count brackets everywhere. Only a body over the limit is looked at again
    # without the brackets inside strings, which takes longer.
    if body.count(b"{") + body.count(b"[") <= most or not _opens_more(body, most):
        return
    _refuse_depth(body)
    raise TooLarge(
        f"a request may have at most {rows} rows, and {CONTAINERS_PER_ROW} lists and "
        "objects for each"
    )


def _opens_more(body: bytes, most: int) -> bool:
    """Whether more than ``most`` brackets are outside strings; uses memory of the body's size."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # `""` is an empty string, or the end of one and the start of the next: no bracket between.
    marks = unescaped.translate(None, _OTHERS).replace(b'""', b"")
    found = 0
    for run in _outside.finditer(marks):
        found += len(run[1] or b"")
        if found > most:
            return True
    return False


def _refuse_depth(body: bytes) -> None:
    try:
        _unbuilt.decode(body)
    except RecursionError as error:
        raise Malformed("the body is not JSON: it is nested too deeply") from error
    except (
        msgspec.DecodeError
    ):  # invalid, or has NaN, which our decoder accepts; `TooLarge` either way
        return
