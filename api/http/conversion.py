"""Converts what a request holds to structs; only this module reads msgspec's error messages."""

import re
from typing import TypeVar

import msgspec

from telemetry.errors import Detail, Invalid

Kind = TypeVar("Kind", bound=msgspec.Struct)
_PART = re.compile(r"\[(\d+)\]|\.([^.\[\]`]+)")
"""An index or a field in a path; `[...]`, an unnamed key of an object, is neither."""


def converted(given: object, kind: type[Kind], *, strict: bool = True) -> Kind:
    """Convert decoded JSON, or texts if not ``strict``; raises `Invalid` that says where."""
    try:
        # JSON has no other keys than texts, and shares are by number.
        return msgspec.convert(given, kind, strict=strict, str_keys=True)
    except msgspec.ValidationError as error:
        # msgspec tells the place only in the text: "… - at `$.features[0]`", "… - at `key` in `$`".
        message, _, path = str(error).partition(" - at ")
        if path.startswith("`key` in"):
            message = f"a key of the object: {message}"
        location = tuple(int(index) if index else field for index, field in _PART.findall(path))
        raise Invalid(message, errors=[Detail(location, message)]) from error
