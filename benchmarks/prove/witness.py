"""The model of the proof: it returns the request's number, logs what it computed, and misbehaves
on request.
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
"""Behaviour that a row asks of the model, in its second column."""
PRIMES = (7, 31, 131, 523)
FIRST = 1_000
"""Number of the first request."""
DWELL = 0.02
"""Additional seconds per call, so that faults hit computations too."""
LEAK, ENOUGH = 16 * 2**20, 256 * 2**20
"""Bytes that one leaking row keeps, and the total that ends the process."""


class Witness:
    """Two outputs: the number of the request, and a forest's prediction for its other columns."""

    n_features_in_ = 3 + len(PRIMES)
    kept: list[bytes] = []  # noqa: RUF012 - a leak is what all calls in a process share

    def __init__(self, forest: RandomForestRegressor, diary: Path) -> None:
        self.forest, self.diary = forest, str(diary)

    def predict(self, x: Any) -> Any:
        """Misbehave as the rows ask; else predict, and log their numbers in the diary."""
        table = np.asarray(x, dtype=float)
        time.sleep(DWELL)
        for kind, seconds in table[:, 1:3][table[:, 1] != CALM]:
            self._misbehave(int(kind), seconds)
        answer = self.answer(table)
        self._note(table[:, 0])
        return answer

    def answer(self, table: Any) -> Any:
        """The correct predictions, without misbehaving."""
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
            if len(self.kept) * LEAK > ENOUGH:  # as the kernel's OOM killer would
                os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, numbers: Any) -> None:
        lines = "".join(f"{number:.0f}\n" for number in numbers)
        diary = os.open(self.diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(diary, lines.encode())  # a single write appends atomically
        os.close(diary)


def row(number: int, kind: int = CALM, seconds: float = 0.0) -> list[float]:
    """The row of a request, determined by its number."""
    return [number, kind, seconds, *(number * prime % 1000 / 10 for prime in PRIMES)]


def witness(name: str, directory: Path) -> Model:
    """Fit and save a witness, with its diary in the same directory."""
    rows = np.array([row(number)[3:] for number in range(500)])
    told = rows @ np.arange(1, 1 + len(PRIMES))
    forest = RandomForestRegressor(10, random_state=0).fit(rows, told)
    return Model.save(name, Witness(forest, directory / f"{name}.diary"), directory)


def computed(model: Model) -> Counter[int]:
    """How often each number was computed."""
    diary = Path(model.estimator.diary)
    lines = diary.read_text().split() if diary.exists() else []
    # Registration calls the model too, with other numbers below the first, or none.
    return Counter(int(line) for line in lines if line.isdecimal() and int(line) >= FIRST)
