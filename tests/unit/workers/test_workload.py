"""How busy pool processes are, and how fast."""

import pytest

from tests.unit.clock import Clock
from workers import workload
from workers.workload import Workload


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(workload, "time", clock)
    return clock


def test_busy_processes_are_averaged_over_the_last_seconds(clock):
    measured = Workload()
    assert measured.busy == 0
    measured.begin()
    measured.begin()
    clock.now += 100
    assert measured.busy == pytest.approx(2)
    measured.end(1, 100)
    clock.now += workload.BUSY_WINDOW
    assert measured.busy == pytest.approx(1 + 1 / 2.718281828)
    measured.end(1, 100)
    clock.now += 100
    assert measured.busy == pytest.approx(0, abs=1e-6)


def test_half_of_the_time_is_half_a_process(clock):
    measured = Workload()
    for _ in range(10_000):
        measured.begin()
        clock.now += 0.005
        measured.end(1, 0.005)
        clock.now += 0.005
    assert measured.busy == pytest.approx(0.5, abs=0.001)


def test_speed_follows_what_is_computed_and_outlives_a_pause(clock):
    measured = Workload()
    assert measured.rows_per_second is None
    measured.begin()
    measured.end(10, 1.0)
    assert measured.rows_per_second == 10
    clock.now += 1e6
    assert measured.rows_per_second == 10
    for _ in range(100):
        measured.begin()
        measured.end(50, 1.0)
    assert measured.rows_per_second == pytest.approx(50, rel=0.001)
