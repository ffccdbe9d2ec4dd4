"""A model that sleeps as long as a row says and records each computation that it starts."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.models import Doubling


class Sleeping(Doubling):
    """Sleeps for the largest second column of a call, in seconds."""

    def __init__(self, diary: str) -> None:
        self.diary = diary

    def predict(self, x: Any) -> Any:
        rows = np.asarray(x)
        with Path(self.diary).open("a") as diary:
            diary.write("".join(f"{value}\n" for value in rows[:, 0]))
        time.sleep(float(rows[:, 1].max()))
        return super().predict(x)


def begun(diary: Path) -> list[float]:
    """The first column of each row, once for every computation that was started."""
    return [float(line) for line in diary.read_text().splitlines()]
