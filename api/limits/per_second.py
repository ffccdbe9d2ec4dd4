"""A count of what happens in the current second."""

from time import monotonic


class PerSecond:
    """Counts, and begins anew with each second."""

    def __init__(self) -> None:
        self._second, self._count = 0, 0

    @property
    def count(self) -> int:
        """How much was added in this second."""
        second = int(monotonic())
        if second != self._second:
            self._second, self._count = second, 0
        return self._count

    def add(self) -> int:
        """Add one; returns the count with it."""
        self._count = self.count + 1
        return self._count
