"""Versions that the fork server could not load, and when it is asked to load them again."""

import math
import time
from typing import NamedTuple

from registry.store import RECHECK_INTERVAL, Registry
from tasks.settings import Settings
from tasks.time_limits import OUTAGE
from telemetry.errors import PredictqError

LONGEST_PAUSE = 600.0
"""Seconds between two tries at most; the first pause is an `OUTAGE`, and each is twice the last."""


class _Fault(NamedTuple):
    made: str
    """When the version was registered; empty where the registry could not say it."""
    pause: float
    over: float
    """When another try is due, as `time.monotonic`."""


class LoadRetry:
    """Meanwhile any process says what is wrong with such a version: its predictions fail."""

    def __init__(self) -> None:
        self._registry = Registry(Settings.from_environment().home, RECHECK_INTERVAL)
        self._faults: dict[str, _Fault] = {}

    def note(self, reference: str) -> None:
        """It could not be loaded, for which the registry may be to blame, or its artifact."""
        before = self._faults.get(reference)
        pause = min(2 * before.pause, LONGEST_PAUSE) if before else OUTAGE
        self._note(reference, pause)

    def note_deadly(self, reference: str) -> None:
        """Loading it ended the fork server: there is no other try, unless it is made anew."""
        self._note(reference, math.inf)

    def forget(self, reference: str) -> None:
        """It is loaded now."""
        self._faults.pop(reference, None)

    def has(self, reference: str) -> bool:
        """Whether it could not be loaded, and no other try is due."""
        fault = self._faults.get(reference)
        if fault is None or time.monotonic() >= fault.over:
            return False
        return fault.made == self._made(reference)

    @property
    def deadly(self) -> set[str]:
        """What no fork server is to load by itself."""
        return {reference for reference, fault in self._faults.items() if fault.pause == math.inf}

    def _note(self, reference: str, pause: float) -> None:
        self._faults[reference] = _Fault(self._made(reference), pause, time.monotonic() + pause)

    def _made(self, reference: str) -> str:
        try:
            return self._registry.resolve(reference).manifest.created_at
        except (PredictqError, OSError):
            return ""
