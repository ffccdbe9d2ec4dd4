"""Which versions are asked for at present."""

import time

RECENT = 60.0
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

    def is_for_others(self, reference: str | None) -> bool:
        """Whether any version but this one was asked for in the last `RECENT` seconds."""
        since = time.monotonic() - RECENT
        return any(asked > since for other, asked in self._asked.items() if other != reference)
