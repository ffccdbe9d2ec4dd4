"""Follows a wanted number up at once and down slowly, so that it does not go back and forth."""

import msgspec

DOWN_SECONDS = 60.0
"""Seconds for which fewer must have been wanted before any are taken away."""


class Steadying(msgspec.Struct, frozen=True):
    """What was wanted lately: (when, number), the oldest first, each more than those after it."""

    lately: tuple[tuple[float, int], ...] = ()

    def after(self, now: float, wanted: int) -> "Steadying":
        """The same with what is wanted ``now``, in seconds of any clock that only goes forward."""
        # One that is not more than a later one is never the most again.
        kept = [(when, n) for when, n in self.lately if n > wanted and when > now - DOWN_SECONDS]
        return Steadying((*kept, (now, wanted)))

    @property
    def number(self) -> int:
        """The most that was wanted in the window, which is what there should be now."""
        return self.lately[0][1]
