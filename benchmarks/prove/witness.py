"""The model of the proof: it says what it was asked, notes what it computed, and misbehaves on
request.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from benchmarks.harness.models import Model

CALM, RAISES, CRASHES, HANGS, LEAKS = range(5)
"""What a row asks of the model; the row's second column."""
PRIMES = (7, 31, 131, 523)
FIRST = 1_000
"""The number of the first request."""
DWELL = 0.02
"""Seconds that a call takes beside the forest's own, so that faults strike computations, too."""
LEAK, ENOUGH = 16 * 2**20, 256 * 2**20
"""Bytes that one leaking row keeps, and those that end the process."""


class Witness:
    """Two outputs: the number of the request, and what a forest says to its other columns."""

    n_features_in_ = 3 + len(PRIMES)
    kept: list[bytes] = []  # noqa: RUF012 - a leak is what all calls in a process share

    def __init__(self, forest: RandomForestRegressor, diary: Path) -> None:
        self.forest, self.diary = forest, str(diary)

    def predict(self, x: Any) -> Any:
        """Misbehave as the rows ask; else answer, and note their numbers in the diary."""
        table = np.asarray(x, dtype=float)
        time.sleep(DWELL)
        for kind, seconds in table[:, 1:3][table[:, 1] != CALM]:
            self._misbehave(int(kind), seconds)
        answer = self.answer(table)
        self._note(table[:, 0])
        return answer

    def answer(self, table: Any) -> Any:
        """What is right, without any mischief."""
        return np.column_stack([table[:, 0], self.forest.predict(table[:, 3:])])

    def _misbehave(self, kind: int, seconds: float) -> None:
        if kind == RAISES:
            raise ValueError("this row is too much")
        if kind == CRASHES:
            os.kill(os.getpid(), signal.SIGKILL)
        if kind == HANGS:
            time.sleep(seconds)
        if kind == LEAKS:
            self.kept.append(os.urandom(LEAK))
            if len(self.kept) * LEAK > ENOUGH:  # in place of the kernel, which ends it so, too
                os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, numbers: Any) -> None:
        lines = "".join(f"{number:.0f}\n" for number in numbers)
        diary = os.open(self.diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(diary, lines.encode())  # appended whole, whoever else writes
        os.close(diary)


def row(number: int, kind: int = CALM, seconds: float = 0.0) -> list[float]:
    """The row of a request, which follows from its number."""
    return [number, kind, seconds, *(number * prime % 1000 / 10 for prime in PRIMES)]


def witness(name: str, directory: Path) -> Model:
    """One that is fitted and saved; its diary lies beside it."""
    rows = np.array([row(number)[3:] for number in range(500)])
    told = rows @ np.arange(1, 1 + len(PRIMES))
    forest = RandomForestRegressor(10, random_state=0).fit(rows, told)
    return Model.save(name, Witness(forest, directory / f"{name}.diary"), directory)


def computed(model: Model) -> Counter[int]:
    """How often the computation of each number came to its end."""
    diary = Path(model.estimator.diary)
    lines = diary.read_text().split() if diary.exists() else []
    # Whoever registers a model asks it, too, with numbers below the first and with none.
    return Counter(int(line) for line in lines if line.isdecimal() and int(line) >= FIRST)
