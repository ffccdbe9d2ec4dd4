"""The storm: one fault after the other, by a seed, each until all is as it was before."""

import sys
import threading
import time
from collections.abc import Iterator
from random import Random

import msgspec

from benchmarks.prove.faults.faults import FAULTS
from benchmarks.prove.faults.strikes import Target

PATIENCE = 20.0
"""Seconds after which the next fault strikes, even if all is not as it was."""
_now = time.monotonic


class Strike(msgspec.Struct, frozen=True):
    """One fault as it happened; times of the monotonic clock."""

    fault: str
    began: float
    ended: float
    """When the harm was over."""
    recovered: float | None
    """When all had its outcome that was accepted until the harm was over; None: another fault
    struck before."""
    left: float
    """When nobody waited for that any more."""

    def __str__(self) -> str:
        """For who watches."""
        after = f"{self.recovered - self.ended:.1f} s" if self.recovered else "..."
        return f"{self.fault} for {self.ended - self.began:.1f} s, as before after {after}"


class Storm(threading.Thread):
    """A thread that strikes until it is stopped."""

    def __init__(self, target: Target, names: list[str], seed: int) -> None:
        super().__init__(name="storm", daemon=True)
        self._target, self._names, self._chance = target, names, Random(seed)
        self._over = threading.Event()
        self.strikes: list[Strike] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        """Strike, see it recover or, one time in five, do not wait for that; and again."""
        try:
            for name in self._sequence():
                if self._over.wait(self._chance.uniform(0.5, 2.5)):
                    return
                self._strike(name, patience=0.5 if self._chance.random() < 0.2 else PATIENCE)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits for the end
            self.failure = error

    def end(self) -> None:
        """Strike no more; the fault that lasts comes to its end first."""
        self._over.set()

    def is_over(self) -> bool:
        """Whether that is so, and all is healed; raises what went wrong in the thread."""
        if self.is_alive():
            return False
        self._target.system.heal()
        if self.failure:
            raise self.failure
        return True

    def _sequence(self) -> Iterator[str]:
        """Each kind equally often, in an order that nobody can foresee."""
        while True:
            for name in self._chance.sample(self._names, len(self._names)):
                if FAULTS[name].naive or self._target.system.name != "naive":
                    yield name

    def _strike(self, name: str, patience: float) -> None:
        began = _now()
        FAULTS[name].strike(self._target)
        ended = _now()
        while not (done := self._target.callers.all_is_done(ended)) and _now() < ended + patience:
            if self._over.wait(0.02):
                break
        recovered = _now() if done else None
        if not done and patience == PATIENCE:
            self._target.callers.given_up = ended
        self.strikes.append(Strike(name, began, ended, recovered, _now()))
        print(f"{self._target.system.name}: {self.strikes[-1]}", file=sys.stderr)
