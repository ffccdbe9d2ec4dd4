"""How many replicas a demand needs, with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tasks.scaling.demand import Demand
from tasks.scaling.replicas import ReplicaBounds, scale_of
from telemetry.errors import Invalid


def demand(**changed: float | None) -> Demand:
    calm = {
        "workers": 1,
        "processes": 2,
        "busy": 0.0,
        "rows_waiting": 0,
        "messages_waiting": 0,
        "rows_computing": 0,
        "rows_per_second": 100.0,
    }
    return Demand(**{**calm, **changed})  # type: ignore[arg-type]  # as a test names them


def replicas(bounds: ReplicaBounds = ReplicaBounds(), /, **changed: float | None) -> int:  # noqa: B008 - frozen
    return scale_of("predict", demand(**changed), bounds).replicas


def reason(bounds: ReplicaBounds = ReplicaBounds(), /, **changed: float | None) -> str:  # noqa: B008 - frozen
    return scale_of("predict", demand(**changed), bounds).reason


@pytest.mark.parametrize(("busy", "wanted"), [(0.0, 1), (1.6, 2), (1.61, 3), (4.0, 5), (8.0, 10)])
def test_processes_are_busy_for_four_fifths_of_the_time_at_most(busy: float, wanted: int) -> None:
    assert replicas(processes=1, busy=busy) == wanted


def test_fewer_are_wanted_only_if_they_would_have_time_left() -> None:
    # Three processes would be enough for growing, and are too few for shrinking.
    assert replicas(processes=3, busy=2.4) == 3
    assert replicas(processes=4, busy=2.4) == 4
    assert replicas(processes=4, busy=1.8) == 3
    assert replicas(processes=4, busy=0.0) == 1


def test_waiting_rows_want_as_many_more_as_compute_them_in_time() -> None:
    assert replicas(busy=0.8, rows_waiting=300, messages_waiting=300) == 4
    patient = ReplicaBounds(wait=10)
    assert replicas(patient, busy=0.8, rows_waiting=300, messages_waiting=300) == 2


def test_message_is_computed_by_one_process_however_slow_it_is() -> None:
    slow = {"rows_per_second": 0.01, "rows_waiting": 50, "messages_waiting": 2}
    assert replicas(busy=0.8, **slow) == 3


def test_unknown_speed_changes_no_more_than_the_busy_ones_say() -> None:
    waiting = {"rows_waiting": 900, "messages_waiting": 900, "rows_per_second": None}
    assert replicas(processes=2, busy=1.0, **waiting) == 2
    assert "and no microbatch has been measured yet" in reason(busy=1.0, **waiting)


def test_without_a_process_one_is_wanted_if_something_waits() -> None:
    to_zero = ReplicaBounds(min=0)
    assert replicas(to_zero, workers=0, processes=0) == 0
    assert replicas(to_zero, workers=0, processes=0, rows_waiting=9, messages_waiting=9) == 1
    loading = {"processes": 0, "rows_waiting": 9, "messages_waiting": 9}
    assert reason(to_zero, **loading) == "9 rows waiting for a worker that loads its first models"


def test_replicas_of_several_processes_are_rounded_up() -> None:
    assert replicas(ReplicaBounds(each=4), processes=8, busy=6.0) == 2
    assert replicas(ReplicaBounds(each=4), processes=8, busy=7.0) == 3


def test_reason_names_what_was_measured_and_the_bound_that_cut_it() -> None:
    told = reason(ReplicaBounds(max=3), busy=1.6, rows_waiting=1200, messages_waiting=1200)
    assert told == (
        "1.6 of 2 processes busy, 1,200 rows waiting; at 100.0 rows/s of a process, 12.0 more "
        "compute these within 1 s, so 14 processes; that is 14 replicas, and max allows 3 at most"
    )
    assert reason(ReplicaBounds(min=2), processes=1) == (
        "0.0 of 1 process busy, nothing waits, so 0 processes; "
        "that is 0 replicas, and min allows 2 at least"
    )


def test_minimum_above_the_maximum_is_refused() -> None:
    with pytest.raises(Invalid, match="min is 5, which is more than max, 2"):
        ReplicaBounds(min=5, max=2)


@given(
    some.integers(0, 50),
    some.floats(0, 50),
    some.integers(0, 10**6),
    some.none() | some.floats(1e-6, 1e9),
    some.floats(1e-3, 1e4),
)
def test_replicas_keep_to_their_bounds(
    processes: int, busy: float, rows: int, speed: float | None, wait: float
) -> None:
    bounds = ReplicaBounds(min=2, max=7, wait=wait)
    state = {"processes": processes, "busy": busy, "rows_waiting": rows, "messages_waiting": rows}
    assert 2 <= replicas(bounds, rows_per_second=speed, **state) <= 7
