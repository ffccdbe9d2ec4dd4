"""Processes are added while rows wait, and taken away again, on real workers."""

import json
from pathlib import Path

import pytest

from tests.support.models import register
from tests.support.slow_models import Slow
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]


ROWS = 400


def processes(stack: LiveStack) -> dict[int, int]:
    """The processes of each worker, by its pid."""
    workers = stack.http.get("/stats").json()["workers"]
    return {worker["pid"]: worker["processes"] for worker in workers}


def submit(stack: LiveStack) -> list[str]:
    lines = [{"model": "slow", "features": [float(n), 0.0]} for n in range(ROWS)]
    answered = stack.http.post("/predict/async", json={"requests": lines}).text.splitlines()
    return [json.loads(line)["id"] for line in answered]


def test_processes_follow_what_waits_and_no_work_is_lost(tmp_path: Path) -> None:
    register(tmp_path, "slow", Slow(0.05), [ROW])
    with running(tmp_path, 1, forks=True, PREDICTQ_AUTOSCALE="1..4") as stack:
        assert stack.predict("slow", ROW) == [2.0]
        pid = stack.pid("worker")
        assert processes(stack) == {pid: 1}
        ids = submit(stack)
        until(lambda: processes(stack) == {pid: 4}, "four processes compute")
        # Another worker takes its share of them, while all of them are busy.
        first = stack.launch_second("worker")
        until(lambda: processes(stack)[pid] == 2, "it has its share of the four")
        answers = [stack.outcome(task_id)["predictions"] for task_id in ids]
        first.terminate()
        until(lambda: not first.running(), "the end of the first worker")
    assert answers == [[2.0 * n] for n in range(ROWS)]
    log = (tmp_path / "logs/worker.log").read_text()
    told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert not [line for line in told if line["level"] in ("warning", "error")]
    changes = [line["event"] for line in told if "in place of" in line["event"]]
    assert changes[0].startswith("4 processes in place of 1: ")
    assert "rows waiting; at" in changes[0]
