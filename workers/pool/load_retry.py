"""Load retry: versions that the fork server could not load, and when to load them again."""

import math
import time
from typing import NamedTuple

from registry.store import Registry
from tasks.time_limits import OUTAGE
from telemetry.errors import PredictqError

MAX_PAUSE = 600.0
"""Longest pause between two loads, in seconds. The first is `OUTAGE`; each next one doubles."""


class _FailedLoad(NamedTuple):
    registered_at: str | None
    """When the version was registered; None if the registry could not be read."""
    pause: float
    """Seconds until the next load, which decides about the pause after that."""
    due_at: float
    """When the next load is due, in `time.monotonic` seconds; infinite if it is deadly."""
    is_deadly: bool
    """Whether the load killed the fork server."""
    reason: str


class LoadRetry:
    """Versions that failed to load, each with a pause until the next load.

    During the pause any free process takes the predictions of the version, and fails them with the
    error that its own load raises.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._failed: dict[str, _FailedLoad] = {}

    def note(self, reference: str, reason: str) -> None:
        """Record that loading a version failed, be it for its artifact or for the registry."""
        # Only a load that works calls `forget`, so the pause grows from failure to failure.
        before = self._failed.get(reference)
        pause = min(2 * before.pause, MAX_PAUSE) if before else OUTAGE
        self._failed[reference] = _FailedLoad(
            self._registered_at(reference), pause, time.monotonic() + pause, False, reason
        )

    def note_deadly(self, reference: str) -> None:
        """Record that loading a version killed the fork server: never load it there again.

        Only a version that was removed and registered anew is loaded again.
        """
        self._failed[reference] = _FailedLoad(
            self._registered_at(reference), MAX_PAUSE, math.inf, True, "loading it crashes"
        )

    def forget(self, reference: str) -> None:
        """Clear a version that has been loaded."""
        self._failed.pop(reference, None)

    def forgive(self, reference: str) -> None:
        """Have a version loaded at once that failed to load, unless its load is deadly."""
        failed = self._failed.get(reference)
        if failed and not failed.is_deadly:
            del self._failed[reference]

    def reason(self, reference: str) -> str:
        """Why a version, which `has` says failed to load, did so."""
        return self._failed[reference].reason

    def has(self, reference: str) -> bool:
        """Whether a version failed to load and its next load is not due yet."""
        failed = self._failed.get(reference)
        if failed is None or time.monotonic() >= failed.due_at:
            return False
        # A version that was removed and registered anew is another one, under the same name.
        return failed.registered_at == self._registered_at(reference)

    @property
    def deadly(self) -> set[str]:
        """Versions that a fork server must never load."""
        return {reference for reference, failed in self._failed.items() if failed.is_deadly}

    def _registered_at(self, reference: str) -> str | None:
        try:
            return self._registry.resolve(reference).manifest.created_at
        except (PredictqError, OSError):
            return None
