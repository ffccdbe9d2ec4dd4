"""Converts what a request holds to structs; only this module reads msgspec's error messages."""

from typing import TypeVar

import msgspec

from telemetry.errors import Detail, Invalid

Kind = TypeVar("Kind", bound=msgspec.Struct)


def converted(given: object, kind: type[Kind], *, strict: bool = True) -> Kind:
    """Convert decoded JSON, or texts if not ``strict``; raises `Invalid` that says where."""
    try:
        # JSON has no other keys than texts, and shares are by number.
        return msgspec.convert(given, kind, strict=strict, str_keys=True)
    except msgspec.ValidationError as error:
        # msgspec tells the place only in the text: "… - at `$.features[0]`".
        message, _, path = str(error).partition(" - at `$")
        location = tuple(part for part in path.strip("`").split(".") if part)
        raise Invalid(message, errors=[Detail(location, message)]) from error
