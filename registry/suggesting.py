"""Suggestions for a misspelt name."""

from bisect import bisect
from collections.abc import Collection
from difflib import get_close_matches

MAX_COMPARED_NAMES = 64
"""Names compared; one similar name takes up to half a millisecond of the event loop's time."""
MAX_NAME_CHARS = 64
"""Longest name that is compared; no valid name is longer."""
MAX_SUGGESTIONS = 3


def did_you_mean(written: str, names: Collection[str]) -> str:
    """A question with the most similar names; empty if none is similar."""
    if len(written) > MAX_NAME_CHARS:
        return ""
    near = _near(written, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _near(written: str, names: Collection[str]) -> list[str]:
    by_folded, folded = {name.casefold(): name for name in names}, written.casefold()
    found = get_close_matches(folded, _around(folded, sorted(by_folded)), MAX_SUGGESTIONS)
    return [by_folded[name] for name in found]


def _around(written: str, names: list[str]) -> list[str]:
    """The names next to it in sorted order: those that share the longest prefix with it."""
    first = max(bisect(names, written) - MAX_COMPARED_NAMES // 2, 0)
    return names[first : first + MAX_COMPARED_NAMES] if len(names) > MAX_COMPARED_NAMES else names
