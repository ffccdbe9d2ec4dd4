"""What somebody may have meant who wrote a name that is not there."""

from collections.abc import Collection
from difflib import get_close_matches
from itertools import islice

LOOKED_AT = 1000
"""Names; to compare them takes longer the more there are, and who asks must not wait for that."""
LONGEST = 64
"""Characters; no name has more."""
SHOWN = 3


def did_you_mean(written: str, names: Collection[str]) -> str:
    """A question that offers the nearest names; empty where none is near."""
    if len(written) > LONGEST:
        return ""
    near = _near(written, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _near(written: str, names: Collection[str]) -> list[str]:
    by_folded = {name.casefold(): name for name in islice(names, LOOKED_AT)}
    found = get_close_matches(written.casefold(), by_folded, SHOWN)
    return [by_folded[name] for name in found]
