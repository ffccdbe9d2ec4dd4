"""What somebody may have meant who wrote a name that is not there."""

from bisect import bisect
from collections.abc import Collection
from difflib import get_close_matches

LOOKED_AT = 64
"""Names; to compare one that is alike takes half a millisecond, which others wait for as well."""
MAX_NAME_CHARS = 64
"""Characters; no name has more."""
MAX_SUGGESTIONS = 3


def did_you_mean(written: str, names: Collection[str]) -> str:
    """A question that offers the nearest names; empty where none is near."""
    if len(written) > MAX_NAME_CHARS:
        return ""
    near = _near(written, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _near(written: str, names: Collection[str]) -> list[str]:
    by_folded, folded = {name.casefold(): name for name in names}, written.casefold()
    found = get_close_matches(folded, _around(folded, sorted(by_folded)), MAX_SUGGESTIONS)
    return [by_folded[name] for name in found]


def _around(written: str, names: list[str]) -> list[str]:
    """Of many names those that begin most like it, which lie around its place among them."""
    first = max(bisect(names, written) - LOOKED_AT // 2, 0)
    return names[first : first + LOOKED_AT] if len(names) > LOOKED_AT else names
