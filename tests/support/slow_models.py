"""Models that are slow to compute or to load."""

import time
from pathlib import Path
from typing import Any

from tests.support.models import Doubling


class Slow(Doubling):
    """Takes a fixed number of seconds a row."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def predict(self, x: Any) -> Any:
        time.sleep(self.seconds * len(x))
        return super().predict(x)


class Gated(Doubling):
    """Waits with computing while a file exists, and some seconds in any case."""

    def __init__(self, obstacle: str, seconds: float = 0.0) -> None:
        self.obstacle, self.seconds = obstacle, seconds

    def predict(self, x: Any) -> Any:
        time.sleep(self.seconds)
        _wait(self.obstacle)
        return super().predict(x)


class Heavy(Doubling):
    """Waits with loading while a file exists."""

    def __init__(self, obstacle: str) -> None:
        self.obstacle = obstacle

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        _wait(self.obstacle)


def _wait(obstacle: str) -> None:
    end = time.monotonic() + 30
    while Path(obstacle).exists() and time.monotonic() < end:
        time.sleep(0.02)
