"""What a caller prefers (RFC 7240): to wait a while, or not at all."""

import msgspec

MAX_WAIT_SECONDS = 30
"""Seconds that anyone may wait."""
MAX_PREFERENCES = 32
"""Preferences that are looked at."""
MOST_DIGITS = 6
"""Of a number of seconds; what has more is none."""


class Preference(msgspec.Struct, frozen=True):
    """A parsed `Prefer` header."""

    wait: int | None = None
    """Seconds, bounded."""
    respond_async: bool = False

    def seconds(self, otherwise: int) -> int:
        """How long to wait for an outcome, where no preference means ``otherwise``."""
        if self.wait is not None:
            return self.wait
        return 0 if self.respond_async else otherwise

    def applied(self, *, waited: bool) -> str:
        """The `Preference-Applied` header; empty where nothing that was preferred was done."""
        if self.wait is not None and waited:
            return f"wait={self.wait}"
        return "respond-async" if self.respond_async else ""


_NONE = Preference()


def parse(header: str) -> Preference:
    """Read a `Prefer` header; what it does not know it ignores, as the RFC demands."""
    if not header:
        return _NONE
    found = dict(map(_pair, header.split(",", MAX_PREFERENCES)[:MAX_PREFERENCES]))
    wait = found.get("wait", "")
    seconds = min(int(wait), MAX_WAIT_SECONDS) if _is_number(wait) else None
    return Preference(seconds, "respond-async" in found)


def _pair(part: str) -> tuple[str, str]:
    """Name and value of one preference, without its parameters; split, since it may be long."""
    name, _, value = part.partition(";")[0].partition("=")
    return name.strip().lower(), value.strip().removeprefix('"').removesuffix('"')


def _is_number(text: str) -> bool:
    return len(text) <= MOST_DIGITS and text.isascii() and text.isdigit()
