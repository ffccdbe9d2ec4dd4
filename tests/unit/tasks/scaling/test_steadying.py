"""How the number of processes follows a demand: simulated queues, and the window itself.

A tick is the two seconds between two heartbeats. Each process computes 100 rows a second.
"""

import math
import random
from collections.abc import Callable
from itertools import pairwise

from tasks.scaling.demand import Demand
from tasks.scaling.replicas import ReplicaBounds, scale_of
from tasks.scaling.steadying import DOWN_SECONDS, Steadying

TICK = 2.0
SPEED = 100.0
BOUNDS = ReplicaBounds(max=8)


class Simulation:
    """A queue, and workers that follow it."""

    def __init__(self) -> None:
        self.now, self.waiting, self.busy, self.steadying = 0.0, 0.0, 0.0, Steadying()
        self.numbers = [1]
        self.depths = [0.0]

    def run(self, ticks: int, arriving: Callable[[], float]) -> list[int]:
        """Let rows arrive for so many ticks; the numbers of processes in these."""
        for _ in range(ticks):
            self._tick(arriving())
        return self.numbers[-ticks:]

    def _tick(self, per_second: float) -> None:
        able = self.numbers[-1] * SPEED * TICK
        done = min(self.waiting + per_second * TICK, able)
        self.waiting += per_second * TICK - done
        # As `Workload` averages it.
        kept = math.exp(-TICK / 5.0)
        self.busy = self.busy * kept + done / SPEED / TICK * (1 - kept)
        self.now += TICK
        rows = int(self.waiting)
        demand = Demand(
            workers=1,
            processes=self.numbers[-1],
            busy=self.busy,
            rows_waiting=rows,
            messages_waiting=rows,
            rows_computing=0,
            rows_per_second=SPEED,
        )
        wanted = scale_of("predict", demand, BOUNDS).replicas
        self.steadying = self.steadying.after(self.now, wanted)
        self.numbers.append(self.steadying.number)
        self.depths.append(self.waiting)

    @property
    def changes(self) -> int:
        return sum(a != b for a, b in pairwise(self.numbers))


def test_step_of_ten_times_the_load_is_absorbed_within_ten_seconds() -> None:
    queue = Simulation()
    assert set(queue.run(60, lambda: 50)) == {1}
    numbers = queue.run(150, lambda: 500)
    assert max(queue.depths[-145:]) == 0, "after five ticks nothing waits any more"
    assert len(set(numbers[-60:])) == 1
    assert queue.changes <= 6
    assert numbers[-1] * SPEED > 500


def test_ramp_only_adds_processes_until_it_is_over() -> None:
    queue, arriving = Simulation(), iter(range(0, 600, 3))
    numbers = queue.run(200, lambda: next(arriving))
    assert numbers == sorted(numbers)
    assert numbers[-1] == 8
    assert max(queue.depths) < SPEED, "nothing waits for a second"


def test_lull_is_waited_out_before_processes_are_taken_away() -> None:
    queue = Simulation()
    busy = queue.run(60, lambda: 500)[-1]
    lull = int(DOWN_SECONDS / TICK) - 1
    assert set(queue.run(lull, lambda: 0)) == {busy}, "a lull of less than a minute changes nothing"
    assert queue.run(30, lambda: 0)[-1] == 1


def test_noise_changes_the_number_a_few_times_at_most() -> None:
    chance = random.Random(1)
    for mean in (100, 160, 240, 320, 400, 480):
        queue = Simulation()
        queue.run(60, lambda mean=mean: mean * chance.uniform(0.6, 1.4))
        before = queue.changes
        queue.run(1800, lambda mean=mean: mean * chance.uniform(0.6, 1.4))
        assert queue.changes - before <= 4, f"an hour of {mean} rows a second"


def test_waves_slower_than_the_window_cost_two_changes_each_at_most() -> None:
    queue = Simulation()
    for _ in range(10):
        queue.run(150, lambda: 400)
        queue.run(150, lambda: 40)
    steps = [b - a for a, b in pairwise(queue.numbers)]
    turns = [step > 0 for step in steps if step]
    assert sum(a != b for a, b in pairwise(turns)) <= 2 * 10


def test_window_keeps_the_most_that_was_wanted_in_it() -> None:
    steadying = Steadying()
    for now, wanted in ((0.0, 3), (10.0, 5), (20.0, 2), (30.0, 4)):
        steadying = steadying.after(now, wanted)
    assert (steadying.number, len(steadying.lately)) == (5, 2)
    assert steadying.after(69.0, 1).number == 5
    assert steadying.after(70.0, 1).number == 4
    assert steadying.after(200.0, 1).number == 1
