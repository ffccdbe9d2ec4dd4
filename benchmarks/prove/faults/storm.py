"""The storm: injects faults one after another, in a seeded order, and waits for recovery."""

import sys
import threading
import time
from collections.abc import Iterator
from random import Random

import msgspec

from benchmarks.prove.faults.faults import FAULTS
from benchmarks.prove.faults.strikes import Target

RECOVERY_TIMEOUT = 20.0
"""Seconds to wait for recovery before the next fault."""
_now = time.monotonic


class Strike(msgspec.Struct, frozen=True):
    """One injected fault; times are of the monotonic clock."""

    fault: str
    began: float
    ended: float
    """When the fault was over."""
    recovered: float | None
    """When everything accepted before the fault's end had its outcome; None if the next fault came
    first."""
    left: float
    """When waiting for recovery ended."""

    def __str__(self) -> str:
        """A line for the console."""
        after = f"{self.recovered - self.ended:.1f} s" if self.recovered else "..."
        return f"{self.fault} for {self.ended - self.began:.1f} s, as before after {after}"


class Storm(threading.Thread):
    """A thread that injects faults until it is stopped."""

    def __init__(self, target: Target, names: list[str], seed: int) -> None:
        super().__init__(name="storm", daemon=True)
        self._target, self._names, self._chance = target, names, Random(seed)
        self._over = threading.Event()
        self.strikes: list[Strike] = []
        self.failure: Exception | None = None

    def run(self) -> None:
        """Inject faults in a loop, waiting for recovery four times out of five."""
        try:
            for name in self._sequence():
                if self._over.wait(self._chance.uniform(0.5, 2.5)):
                    return
                self._strike(name, within=0.5 if self._chance.random() < 0.2 else RECOVERY_TIMEOUT)
        except Exception as error:  # noqa: BLE001 - told by the thread that waits for the end
            self.failure = error

    def end(self) -> None:
        """Inject no further faults; the current one is completed first."""
        self._over.set()

    def is_over(self) -> bool:
        """Whether the thread has ended and all faults are healed; raises the thread's error."""
        if self.is_alive():
            return False
        self._target.system.heal()
        if self.failure:
            raise self.failure
        return True

    def _sequence(self) -> Iterator[str]:
        """Each kind equally often, in random order."""
        while True:
            for name in self._chance.sample(self._names, len(self._names)):
                if FAULTS[name].naive or self._target.system.name != "naive":
                    yield name

    def _strike(self, name: str, within: float) -> None:
        began = _now()
        FAULTS[name].strike(self._target)
        ended = _now()
        while not (done := self._target.callers.all_is_done(ended)) and _now() < ended + within:
            if self._over.wait(0.02):
                break
        recovered = _now() if done else None
        if not done and within == RECOVERY_TIMEOUT:
            self._target.callers.given_up = ended
        self.strikes.append(Strike(name, began, ended, recovered, _now()))
        print(f"{self._target.system.name}: {self.strikes[-1]}", file=sys.stderr)
