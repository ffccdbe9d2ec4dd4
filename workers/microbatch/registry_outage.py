"""Keeps a worker from taking messages while it cannot read the registry."""

import logging
import time
from collections.abc import Callable

from tasks.time_limits import OUTAGE

log = logging.getLogger(__name__)


class RegistryOutage:
    """The time from a failed look at the registry until a look succeeds.

    Meanwhile other workers, which may be able to read it, take the messages.
    """

    def __init__(self, is_away: Callable[[], bool]) -> None:
        """``is_away``: whether this worker cannot read the registry now."""
        self._is_away = is_away
        self._looks_again_at = 0.0
        """When to try the registry again, in `time.monotonic` seconds; 0 if it could be read."""

    def begin(self) -> None:
        """Note that the registry could not be read."""
        # Logged once for each outage, not for each message that notices it.
        if not self._looks_again_at:
            log.warning("this worker cannot read the registry: it takes no messages until it can")
        self._looks_again_at = time.monotonic() + OUTAGE

    @property
    def lasts(self) -> bool:
        """Whether the outage lasts; looks at the registry every `OUTAGE` seconds."""
        if self._looks_again_at and time.monotonic() >= self._looks_again_at:
            self._looks_again_at = time.monotonic() + OUTAGE if self._is_away() else 0.0
        return bool(self._looks_again_at)
