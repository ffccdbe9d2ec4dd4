"""Cancelling queued, reserved, running and settled predictions."""

from collections.abc import Iterator

import pytest

from tests.integration.short_timeouts import clocked, computed, holds_nothing
from tests.support.stack import Json, LiveStack, until


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    with clocked(tmp_path_factory.mktemp("cancelling")) as stack:
        yield stack


def cancel(stack: LiveStack, task_id: str) -> Json:
    """Cancel twice, which must equal once; return the outcome that stands."""
    first, second = (stack.http.delete(f"/predict/result/{task_id}") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    return first.json()


def test_cancel_queued_prediction(live: LiveStack) -> None:
    with live.frozen("worker"):
        unwanted = live.submit("sleepy", [300.0, 0.0])["id"]
        wanted = live.submit("sleepy", [301.0, 0.0])["id"]
        assert cancel(live, unwanted)["status"] == "cancelled"
    assert live.outcome(wanted)["predictions"] == [602.0]
    until(lambda: holds_nothing(live), "its message is gone")
    assert live.outcome(unwanted)["status"] == "cancelled"
    assert computed(live, 300.0) == 0


def test_cancel_reserved_prediction(live: LiveStack) -> None:
    with live.frozen_pool():
        live.submit("sleepy", [311.0, 0.0])  # is handed over, and so has started
        unwanted = live.submit("sleepy", [310.0, 0.0])["id"]
        until(lambda: live.http.get("/stats").json()["reserved"] == 2, "it is taken")
        assert cancel(live, unwanted)["status"] == "cancelled"
    until(lambda: holds_nothing(live), "its message is gone")
    assert computed(live, 310.0) == 0


def test_cancel_running_prediction_frees_its_process(live: LiveStack) -> None:
    busy = {process.pid for process in live.pool()}
    ids = []
    for value in range(len(busy)):
        ids.append(live.submit("sleepy", [320.0 + value, 60.0])["id"])
        until(lambda: live.status(ids[-1]) == "running", "its start")
    assert [cancel(live, task_id)["status"] for task_id in ids] == ["cancelled"] * len(busy)
    until(lambda: not busy & {process.pid for process in live.pool()}, "other processes", 20)
    assert live.predict("doubling", [3.0, 0.0]) == [6.0]
    until(lambda: holds_nothing(live), "their messages are gone")
    assert computed(live, 320.0) == 0
    assert {live.outcome(task_id)["status"] for task_id in ids} == {"cancelled"}


def test_cancel_hanging_prediction(live: LiveStack) -> None:
    task_id = live.submit("sleepy", [330.0, 60.0], timeout_seconds=1.0)["id"]
    until(lambda: live.status(task_id) == "running", "its start")
    assert cancel(live, task_id)["status"] == "cancelled"
    until(lambda: holds_nothing(live), "its process has ended")
    assert live.outcome(task_id)["status"] == "cancelled"


def test_cancel_retrying_prediction(live: LiveStack) -> None:
    pantry = live.home / "pantry"
    pantry.write_bytes(bytes(1))
    task_id = live.submit("hungry", [340.0, 0.0])["id"]
    until(lambda: live.status(task_id) == "retrying", "another try is announced")
    assert cancel(live, task_id)["status"] == "cancelled"
    until(lambda: holds_nothing(live), "its message is gone")
    assert computed(live, 340.0) == 0


@pytest.mark.parametrize(("row", "status"), [([350.0, 0.0], "succeeded"), ([666.0, 0.0], "failed")])
def test_cancel_keeps_an_outcome(live: LiveStack, row: list[float], status: str) -> None:
    outcome = live.outcome(live.submit("sleepy", row)["id"])
    assert outcome["status"] == status
    assert cancel(live, outcome["id"]) == outcome


def test_cancel_keeps_an_expired_prediction(live: LiveStack) -> None:
    with live.frozen("worker"):
        task_id = live.submit("sleepy", [360.0, 0.0], max_queue_seconds=0.01)["id"]
        assert live.outcome(task_id)["status"] == "expired"
        assert cancel(live, task_id)["status"] == "expired"


def test_cancel_unknown_id(live: LiveStack) -> None:
    assert live.http.delete("/predict/result/nobody").status_code == 404
