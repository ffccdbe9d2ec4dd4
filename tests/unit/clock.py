"""A stand-in for the module `time` that stands still until a test moves it."""


class Clock:
    """`time.monotonic` returns ``now``."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now
