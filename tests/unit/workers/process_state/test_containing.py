"""Children and timers of a model end when it returns."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from telemetry.errors import PredictqError
from workers.gate.comparing import differences
from workers.gate.warming import first_calls
from workers.models.process_state.containing import contained
from workers.models.process_state.guarding import guarded
from workers.models.registration import describe_model
from workers.models.signature.inspection import inspect

TESTS = os.getpid()
FRAME = pd.DataFrame({"x": [1.0, 2.0]})
FORKS_WHEN_LOADED = """
import os
if (pid := os.fork()) and os.waitpid(pid, 0)[1]:
    raise SystemExit("the child went on")
def score(rows):
    return rows["x"] if os.getpid() == {} else os._exit(7)
"""


class Forking:
    """Forks at each call; a child that calls it once more ends with the status 7."""

    def __init__(self) -> None:
        self.statuses: set[int] = set()

    def predict(self, rows: pd.DataFrame) -> list[float]:
        if os.getpid() != TESTS:
            os._exit(7)
        if pid := os.fork():
            self.statuses.add(os.waitpid(pid, 0)[1])
        return [1.0] * len(rows)


def test_forked_children_stop_in_each_step_of_the_gate() -> None:
    model = Forking()
    found = inspect(model, None, FRAME)
    assert found.own_answers is not None
    assert differences(model, found.signature, found.own_answers) == []
    # On a busy machine, calls of more rows are left out after a slow one.
    assert "1" in first_calls(model, found.signature, [[1.0]]).times
    assert model.statuses == {0}
    assert np.array_equal(found.own_answers.answers["predict"], [1.0, 1.0])


def test_forked_children_stop_when_the_model_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text(FORKS_WHEN_LOADED.format(TESTS))
    described, _ = describe_model(Path(f"{file}:score"), trust=True, examples=[{"x": 1.0}])
    assert described.signature.methods == ("predict",)


def test_model_that_ends_the_process_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ends.py"
    for source in ("import os\nos._exit(0)\n", "import os\ndef score(rows):\n    os._exit(0)\n"):
        file.write_text(source)
        with pytest.raises(PredictqError, match=r"ends its process, by os\._exit\(0\)"):
            describe_model(Path(f"{file}:score"), trust=True, examples=[{"x": 1.0}])


def test_child_of_a_model_may_end_itself() -> None:
    with guarded():
        if not (pid := os.fork()):
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3


@pytest.fixture
def no_timer() -> Iterator[None]:
    """Stops the timer of the tests themselves meanwhile."""
    left, every = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.setitimer(signal.ITIMER_REAL, left, every)


@pytest.mark.usefixtures("no_timer")
def test_timer_of_a_model_does_not_outlive_its_call() -> None:
    with contained():
        signal.alarm(30)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.usefixtures("no_timer")
@pytest.mark.parametrize("seconds", [0, 1, 900])
def test_time_limit_goes_on_whatever_timer_a_model_starts(seconds: int) -> None:
    signal.setitimer(signal.ITIMER_REAL, 60)
    with contained():
        signal.alarm(seconds)
    left, every = signal.getitimer(signal.ITIMER_REAL)
    assert 50 < left <= 60
    assert every == 0
