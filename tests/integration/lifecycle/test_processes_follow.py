"""Processes are added while rows wait, and taken away again, on real workers."""

import json
from pathlib import Path

import pytest

from tests.support.models import register
from tests.support.slow_models import Slow
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]


def processes(stack: LiveStack) -> list[int]:
    return sorted(worker["processes"] for worker in stack.http.get("/stats").json()["workers"])


def test_processes_follow_what_waits_and_no_work_is_lost(tmp_path: Path) -> None:
    register(tmp_path, "slow", Slow(0.05), [ROW])
    with running(tmp_path, 1, forks=True, PREDICTQ_AUTOSCALE="1..4") as stack:
        assert stack.predict("slow", ROW) == [2.0]
        assert processes(stack) == [1]
        ids = [stack.submit("slow", [float(n), 0.0])["id"] for n in range(150)]
        until(lambda: processes(stack) == [4], "four processes compute")
        # Another worker takes its share of them, while all of them are busy.
        first = stack.launch_second("worker")
        until(lambda: processes(stack) == [2, 2], "two workers with two processes each")
        answers = [stack.outcome(task_id)["predictions"] for task_id in ids]
        assert answers == [[2.0 * n] for n in range(150)]
        log = (tmp_path / "logs/worker.log").read_text()
        told = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        assert not [line for line in told if line["level"] in ("warning", "error")]
        changes = [line["event"] for line in told if "in place of" in line["event"]]
        assert changes[0].startswith("4 processes in place of 1: ")
        assert "rows waiting; at" in changes[0]
        first.terminate()
        until(lambda: not first.running(), "the end of the first worker")
