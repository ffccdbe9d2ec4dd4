"""Load retry: versions that the fork server could not load, and when to load them again."""

import math
import time
from typing import NamedTuple

from registry.store import Registry
from tasks.time_limits import OUTAGE
from telemetry.errors import PredictqError

MAX_PAUSE = 600.0
"""Longest pause between two loads, in seconds. The first is `OUTAGE`; each next one doubles."""


class _Fault(NamedTuple):
    made: str
    """When the version was registered; empty if the registry could not be read."""
    pause: float
    over: float
    """When the next load is due, in `time.monotonic` seconds."""


class LoadRetry:
    """Versions that failed to load, each with a pause until the next load.

    During the pause any free process takes the predictions of the version, and fails them with the
    error that its own load raises.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._faults: dict[str, _Fault] = {}

    def note(self, reference: str) -> None:
        """Record that loading a version failed, be it for its artifact or for the registry."""
        before = self._faults.get(reference)
        pause = min(2 * before.pause, MAX_PAUSE) if before else OUTAGE
        self._note(reference, pause)

    def note_deadly(self, reference: str) -> None:
        """Record that loading a version killed the fork server: never load it there again.

        Only a version that was removed and registered anew is loaded again.
        """
        self._note(reference, math.inf)

    def forget(self, reference: str) -> None:
        """Clear a version that has been loaded."""
        self._faults.pop(reference, None)

    def has(self, reference: str) -> bool:
        """Whether a version failed to load and its next load is not due yet."""
        fault = self._faults.get(reference)
        if fault is None or time.monotonic() >= fault.over:
            return False
        return fault.made == self._made(reference)

    @property
    def deadly(self) -> set[str]:
        """Versions that a fork server must never load."""
        return {reference for reference, fault in self._faults.items() if fault.pause == math.inf}

    def _note(self, reference: str, pause: float) -> None:
        self._faults[reference] = _Fault(self._made(reference), pause, time.monotonic() + pause)

    def _made(self, reference: str) -> str:
        try:
            return self._registry.resolve(reference).manifest.created_at
        except (PredictqError, OSError):
            return ""
