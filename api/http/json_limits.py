"""Counts what a body holds before it is built: parsed, JSON may take 26 times its bytes."""

import re

import msgspec

from telemetry.errors import Malformed, TooLarge

EACH = 4
"""Lists and objects that a row may hold, itself among them: keys of no column are passed over."""
AROUND = 2
"""Those around all rows: the request, and the list of its rows."""
_MARKS = b'"[{'
_OTHERS = bytes(set(range(256)) - set(_MARKS))
_outside = re.compile(rb'"[^"]*"?|([^"]+)')
_unbuilt = msgspec.json.Decoder(msgspec.Raw)


def refuse_many(body: bytes, rows: int) -> None:
    """Raise `TooLarge` where a body holds more lists and objects than so many rows may need."""
    most = EACH * (rows + AROUND)
    # A bracket in a text counts, too, unless it decides: to leave texts out takes longer.
    if body.count(b"{") + body.count(b"[") <= most or not _opens_more(body, most):
        return
    _refuse_depth(body)
    raise TooLarge(
        f"a request may carry at most {rows} rows, and {EACH} lists and objects for each"
    )


def _opens_more(body: bytes, most: int) -> bool:
    """Whether there are more brackets outside of texts; no step takes more memory than the body."""
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Where one text ends and the next begins there is no bracket between, so they may be one.
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
    except msgspec.DecodeError:  # or with NaN, which is taken; it is too large either way
        return
