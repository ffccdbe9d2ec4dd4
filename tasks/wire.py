"""JSON in and out: a strict, fast parser first, and a tolerant one for what it refuses."""

import json
import math
from typing import Any

import msgspec

from telemetry.errors import Malformed

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: Any) -> bytes:
    """Encode as JSON; infinities become ``Infinity``, as in Python's own writer."""
    text = encode_finite(value)
    if b"null" in text and _holds_infinity(value):
        return json.dumps(msgspec.to_builtins(value)).encode()
    return text


def encode_finite(value: Any) -> bytes:
    """Encode a value that certainly holds no infinity, without searching for one."""
    return _encoder.encode(value)


def decode(body: bytes) -> Any:
    """Decode JSON, including the ``NaN`` and ``Infinity`` that Python's own writer emits.

    Raises `Malformed` with the line and column of the error.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_tolerantly(body)


def _decode_tolerantly(body: bytes) -> Any:
    if not body.strip():
        raise Malformed("the body is empty; a JSON object is expected")
    try:
        # Decoded here, since json.loads would also accept UTF-16 and UTF-32.
        value = json.loads(body.decode("utf-8-sig"))
        _encoder.encode(value)  # refuses lone surrogates, which could not be written back
        return value
    except UnicodeEncodeError as error:
        raise Malformed("the body contains an unpaired surrogate") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"the body is not UTF-8: byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the body is not JSON: {error}") from error


def _holds_infinity(value: Any) -> bool:
    if isinstance(value, float):
        return math.isinf(value)
    if isinstance(value, dict):
        return any(map(_holds_infinity, value.values()))
    if isinstance(value, msgspec.Struct):
        return any(_holds_infinity(getattr(value, field)) for field in value.__struct_fields__)
    return isinstance(value, list | tuple) and any(map(_holds_infinity, value))
