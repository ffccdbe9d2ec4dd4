"""Models that take their time: to compute, or to be loaded."""

import time
from pathlib import Path
from typing import Any

from tests.support.models import Doubling


class Unhurried(Doubling):
    """Takes so many seconds for each row."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def predict(self, x: Any) -> Any:
        time.sleep(self.seconds * len(x))
        return super().predict(x)


class Gated(Doubling):
    """Computes nothing while a file is there."""

    def __init__(self, obstacle: str) -> None:
        self.obstacle = obstacle

    def predict(self, x: Any) -> Any:
        _wait(self.obstacle)
        return super().predict(x)


class Heavy(Doubling):
    """Is loaded only once a file is gone."""

    def __init__(self, obstacle: str) -> None:
        self.obstacle = obstacle

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ = state
        _wait(self.obstacle)


def _wait(obstacle: str) -> None:
    end = time.monotonic() + 30
    while Path(obstacle).exists() and time.monotonic() < end:
        time.sleep(0.02)
