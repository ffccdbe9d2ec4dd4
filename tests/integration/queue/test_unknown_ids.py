"""Hazard 15: without a record, the id itself tells forged ids from expired or lost ones."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.ids import Ids
from tasks.settings import Settings
from tests.support.stack import LiveStack

TIME_TO_LIVE = Settings(home=Path(), redis_url="").result_ttl


def given_out(stack: LiveStack, monkeypatch: pytest.MonkeyPatch, seconds_ago: float) -> str:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - int(seconds_ago * 1e9))
    return Ids((stack.home / "id.key").read_bytes()).new()


Make = Callable[[LiveStack, pytest.MonkeyPatch], str]
CASES: dict[str, tuple[Make, int, str]] = {
    "forged": (lambda *_: Ids(b"another key").new(), 404, "prediction_not_found"),
    "gone": (lambda s, m: given_out(s, m, TIME_TO_LIVE + 60), 410, "result_gone"),
    "lost": (lambda s, m: given_out(s, m, 60), 500, "lost"),
}


@pytest.mark.parametrize("case", CASES)
def test_unknown_id_without_a_record(
    stack: LiveStack, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    make, status, code = CASES[case]
    answer = stack.http.get(f"/predict/result/{make(stack, monkeypatch)}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_unknown_id_that_is_queued(stack: LiveStack) -> None:
    with stack.frozen_pool(), stack.frozen("worker"):
        task_id = stack.submit("iris", [5.1, 3.5, 1.4, 0.2])["id"]
        answer = stack.http.get(f"/predict/result/{task_id}")
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
