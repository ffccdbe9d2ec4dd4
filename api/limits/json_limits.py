"""Counts what a body holds before it is parsed.

Parsed JSON may take 26 times its bytes, and a parser lets no other thread run meanwhile.
"""

import re

import msgspec

from telemetry.errors import Malformed, TooLarge

CONTAINERS_PER_ROW = 4
"""Lists and objects allowed per row, the row included; unknown keys may hold some."""
OUTER_CONTAINERS = 2
"""Lists and objects around the rows: the request, and the list of rows."""
MAX_VALUES = 2**21
"""Values in a body. Parsing more of them would keep all other requests of the process waiting for
more than a quarter of a second."""
_outside = re.compile(rb'"[^"]*"?|([^"]+)')
_unbuilt = msgspec.json.Decoder(msgspec.Raw)


def refuse_many_containers(body: bytes, rows: int) -> None:
    """Raise `TooLarge` if a body has more lists and objects than ``rows`` rows may need."""
    most = CONTAINERS_PER_ROW * (rows + OUTER_CONTAINERS)
    # Fast check first: count brackets everywhere. Only a body over the limit is looked at again
    # without the brackets inside strings, which takes longer.
    if body.count(b"{") + body.count(b"[") <= most or not _has_more(b"[{", body, most):
        return
    _refuse_depth(body)
    raise TooLarge(
        f"a request may have at most {rows} rows, and {CONTAINERS_PER_ROW} lists and "
        "objects for each"
    )


def refuse_many_values(body: bytes) -> None:
    """Raise `TooLarge` if a body has more than `MAX_VALUES` values, by its commas."""
    if body.count(b",") >= MAX_VALUES and _has_more(b",", body, MAX_VALUES - 1):
        raise TooLarge(f"a request may have at most {MAX_VALUES} values; send several requests")


def _has_more(characters: bytes, body: bytes, most: int) -> bool:
    """Whether more than ``most`` of these are outside strings; uses memory of the body's size."""
    others = bytes(set(range(256)) - set(characters + b'"'))
    # Doubled backslashes first: the quote in `\\"` ends its string, the one in `\"` does not.
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # `""` is an empty string, or the end of one and the start of the next: nothing is between.
    marks = unescaped.translate(None, others).replace(b'""', b"")
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
