"""The `Prefer` header (RFC 7240): `wait=N` and `respond-async`."""

import msgspec

PREFERENCE_APPLIED = "Preference-Applied"
"""The header field that answers it."""
MAX_WAIT_SECONDS = 30
"""The longest wait in seconds; a longer one is cut to this."""
MAX_PREFERENCES = 32
"""How many preferences are parsed; the rest are ignored."""
MAX_DIGITS = 6
"""Digits of `wait`; a longer number is ignored, as converting very long ones takes time."""


class Preference(msgspec.Struct, frozen=True):
    """A parsed `Prefer` header."""

    wait: int | None = None
    """Seconds to wait, at most `MAX_WAIT_SECONDS`."""
    respond_async: bool = False

    def seconds(self, otherwise: int) -> int:
        """Seconds to wait for an outcome; ``otherwise`` if there is no preference."""
        if self.wait is not None:
            return self.wait
        return 0 if self.respond_async else otherwise

    def applied(self, *, waited: bool) -> str:
        """The `Preference-Applied` header; empty if no preference was applied."""
        if self.wait is not None and waited:
            return f"wait={self.wait}"
        return "respond-async" if self.respond_async else ""


_NONE = Preference()


def parse_prefer(header: str) -> Preference:
    """Parse a `Prefer` header; unknown preferences are ignored, as the RFC demands."""
    if not header:
        return _NONE
    # Not by Werkzeug's parser, which leaves parameters in the value, and holds the event loop for
    # milliseconds if the header is long. Split and cut: `split` leaves the rest in one last piece.
    found = dict(map(_pair, header.split(",", MAX_PREFERENCES)[:MAX_PREFERENCES]))
    wait = found.get("wait", "")
    seconds = min(int(wait), MAX_WAIT_SECONDS) if _is_number(wait) else None
    return Preference(seconds, "respond-async" in found)


def _pair(part: str) -> tuple[str, str]:
    """Name and value of one preference, without its parameters."""
    name, _, value = part.partition(";")[0].partition("=")
    return name.strip().lower(), value.strip().removeprefix('"').removesuffix('"')


def _is_number(text: str) -> bool:
    return len(text) <= MAX_DIGITS and text.isascii() and text.isdigit()
