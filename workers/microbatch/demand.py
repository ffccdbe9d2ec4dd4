"""Which versions are asked for at present."""

import time
from collections.abc import Iterator

RECENT_SECONDS = 60.0
"""Seconds for which a version counts as asked for after its latest message."""


class Demand:
    """When each version was last asked for."""

    def __init__(self) -> None:
        self._asked: dict[str, float] = {}
        """Version, as model:version → `time.monotonic` of its latest message."""

    def note(self, reference: str | None) -> None:
        """Record a message; one without a version says nothing."""
        if reference is not None:
            self._asked[reference] = time.monotonic()

    def for_others(self, reference: str | None) -> Iterator[str]:
        """The versions but this one that were asked for in the last `RECENT_SECONDS`."""
        since = time.monotonic() - RECENT_SECONDS
        return (ref for ref, asked in self._asked.items() if asked > since and ref != reference)
