"""What a caller prefers (RFC 7240): to wait a while, or not at all."""

import re

import msgspec

LONGEST = 30
"""Seconds that anyone may wait."""
_preference = re.compile(r"""\s*([\w-]+)\s*(?:=\s*"?([^";]*?)"?\s*)?(?:;.*)?""")


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
    found = dict(_pair(part) for part in header.split(","))
    wait = found.get("wait") or ""
    seconds = min(int(wait), LONGEST) if re.fullmatch(r"\d{1,6}", wait, re.ASCII) else None
    return Preference(seconds, "respond-async" in found)


def _pair(part: str) -> tuple[str, str | None]:
    match = _preference.fullmatch(part)
    return (match[1].lower(), match[2]) if match else ("", None)
