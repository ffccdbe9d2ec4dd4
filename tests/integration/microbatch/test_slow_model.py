"""A slow model does not block the others: one process stays free for them."""

from pathlib import Path

import pytest

from tests.support.models import Doubling, register
from tests.support.slow_models import Gated
from tests.support.stack import running, until
from workers.microbatch.batch_size import SLOW_CALL

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]


def test_slow_model_leaves_a_process_to_others(tmp_path: Path) -> None:
    obstacle = tmp_path / "obstacle"
    register(tmp_path, "slow", Gated(str(obstacle), SLOW_CALL), [ROW])
    register(tmp_path, "quick", Doubling(), [ROW])
    with running(tmp_path, forks=True) as stack:
        assert stack.predict("slow", ROW) == [2.0]  # its run time is known now
        assert stack.predict("quick", ROW) == [2.0]
        obstacle.touch()
        ids = [stack.submit("slow", [[float(n), 0.0]] * 2)["id"] for n in range(5)]
        until(lambda: stack.status(ids[0]) == "running", "the first")
        for _ in range(3):
            assert stack.predict("quick", ROW) == [2.0]
        assert {stack.status(task_id) for task_id in ids[1:]} == {"queued"}
        obstacle.unlink()
        answers = [stack.outcome(task_id)["predictions"] for task_id in ids]
    assert answers == [[2.0 * n] * 2 for n in range(5)]
