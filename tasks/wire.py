"""JSON in and out: the fast strict parser first, the tolerant one only for what it refuses."""

import json
import math
from typing import Any

import msgspec

from telemetry.errors import Malformed

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: Any) -> bytes:
    """Encode; infinities, which JSON has no word for, become ``Infinity`` as Python writes it."""
    text = encode_finite(value)
    if b"null" in text and _holds_infinity(value):
        return json.dumps(msgspec.to_builtins(value)).encode()
    return text


def encode_finite(value: Any) -> bytes:
    """Encode what holds no infinity, for certain; that spares looking for one."""
    return _encoder.encode(value)


def decode(body: bytes) -> Any:
    """Decode JSON, and the ``NaN`` and ``Infinity`` that Python's own writer emits.

    Raises `Malformed` with the line and column of the fault.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_tolerantly(body)


def _decode_tolerantly(body: bytes) -> Any:
    if not body.strip():
        raise Malformed("the body is empty; a JSON object is expected")
    try:
        # Decoded here: left to itself, the parser would take UTF-16 and UTF-32 as well.
        value = json.loads(body.decode("utf-8-sig"))
        _encoder.encode(value)  # half a character (a lone surrogate) cannot be written again
        return value
    except UnicodeEncodeError as error:
        raise Malformed("the body holds half a character, a lone surrogate") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error


def _holds_infinity(value: Any) -> bool:
    if isinstance(value, float):
        return math.isinf(value)
    if isinstance(value, dict):
        return any(map(_holds_infinity, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_infinity, value))
