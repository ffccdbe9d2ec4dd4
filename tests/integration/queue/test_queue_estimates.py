"""Queue estimates and Retry-After, compared with what then happens."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.ledger.ledger import connect
from tests.support.models import register
from tests.support.slow_models import Heavy, Slow
from tests.support.stack import Json, LiveStack, running, until

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]
SECONDS = 0.02
"""That a row takes, in one of two processes."""
BOUND = 500
"""Rows that may wait."""


@pytest.fixture(scope="module")
def obstacle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("obstacle") / "obstacle"


@pytest.fixture(scope="module")
def paced(tmp_path_factory: pytest.TempPathFactory, obstacle: Path) -> Iterator[LiveStack]:
    """A stack with two pool processes and a model of a hundred rows a second with both."""
    home = tmp_path_factory.mktemp("paced")
    register(home, "slow", Slow(SECONDS), [ROW])
    with running(home, forks=True, PREDICTQ_MAX_QUEUED=str(BOUND)) as stack:
        assert stack.predict("slow", ROW) == [2.0]
        yield stack


def look(stack: LiveStack, task_id: str) -> Json:
    return stack.http.get(f"/predict/result/{task_id}").json()


def fill(stack: LiveStack) -> list[str]:
    """Fill the queue while nothing is computed."""
    with stack.frozen("worker"):
        return [stack.submit("slow", ROW)["id"] for _ in range(BOUND)]


def test_queue_positions_fall(paced: LiveStack) -> None:
    ids = fill(paced)
    last, seen = ids[-1], []
    until(lambda: look(paced, ids[150])["status"] != "queued", "a steady pace")
    while (answer := look(paced, last))["status"] == "queued":
        assert answer["waiting_for"] == "capacity"
        seen.append(answer["queue_position"])
        time.sleep(0.05)
    assert len(set(seen)) > 2
    assert seen == sorted(seen, reverse=True)
    assert 0 <= seen[-1] < seen[0] <= BOUND
    assert not {"queue_position", "eta_seconds", "waiting_for"} & look(paced, last).keys()
    paced.outcome(last)


def test_queue_estimate_is_right_within_a_factor_of_two(paced: LiveStack) -> None:
    ids = fill(paced)
    until(lambda: look(paced, ids[150])["status"] != "queued", "a steady pace")
    told = {
        task_id: (time.monotonic(), look(paced, task_id)["eta_seconds"]) for task_id in ids[250::40]
    }
    for task_id, (then, eta) in told.items():
        paced.outcome(task_id)
        took = time.monotonic() - then
        assert took / 2 <= eta <= took * 2, f"{eta} s were {took} s"
    paced.outcome(ids[-1])


def test_retry_after_of_a_full_queue_is_enough(paced: LiveStack) -> None:
    ids = fill(paced)
    until(lambda: look(paced, ids[100])["status"] != "queued", "a steady pace")
    body = {"model": "slow", "features": [ROW] * (BOUND * 4 // 5)}
    started = time.monotonic()
    refused = paced.http.post("/predict/async", json=body)
    assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
    seconds = int(refused.headers["retry-after"])
    assert 1 < seconds < 5
    answers = [refused]
    while answers[-1].status_code == 503:
        time.sleep(0.1)
        answers.append(paced.http.post("/predict/async", json=body))
    # Retry-After is in whole seconds, rounded up.
    assert seconds / 2 - 1 < time.monotonic() - started < seconds * 2
    assert answers[-1].status_code == 202
    paced.outcome(answers[-1].json()["id"])


def test_queue_estimate_after_a_purge_and_a_return(paced: LiveStack) -> None:
    with paced.frozen("worker"), connect(paced.redis_url) as client:
        purged = [paced.submit("slow", ROW)["id"] for _ in range(5)]
        client.delete("predict")
        later = [paced.submit("slow", ROW)["id"] for _ in range(3)]
        positions = until(lambda: _positions(paced, [*purged, *later]), "positions")
        assert positions[5:] == [1, 2, 3]
        assert max(positions) <= 3
    for task_id in later:
        paced.outcome(task_id)


def _positions(stack: LiveStack, ids: list[str]) -> list[int] | None:
    positions = [look(stack, task_id).get("queue_position") for task_id in ids]
    return None if None in positions else positions


def waiting_for(stack: LiveStack, task_id: str) -> str | None:
    return look(stack, task_id).get("waiting_for")


def test_queue_estimate_without_a_worker_and_of_a_paused_version(paced: LiveStack) -> None:
    paced.stop("worker")
    task_id = paced.submit("slow", ROW)["id"]
    until(lambda: waiting_for(paced, task_id) == "no_worker", "no worker")
    ready = paced.http.get("/ready")
    assert (ready.status_code, ready.json()["waiting_for"]) == (503, "no_worker")
    with connect(paced.redis_url) as client:
        client.hset("predictq:paused", "slow:1", '{"reason": "a test"}')
        until(lambda: waiting_for(paced, task_id) == "paused", "paused")
        client.delete("predictq:paused")
    paced.start("worker")
    assert paced.outcome(task_id)["status"] == "succeeded"
    assert "waiting_for" not in paced.http.get("/ready").json()


def test_ready_tells_what_a_prediction_would_wait_for(paced: LiveStack) -> None:
    def told() -> tuple[int, str | None]:
        ready = paced.http.get("/ready")
        return ready.status_code, ready.json().get("waiting_for")

    assert told() == (200, None)
    with paced.frozen("worker"):
        task_id = paced.submit("slow", ROW)["id"]
        assert told() == (200, "capacity")
    paced.outcome(task_id)
    paced.owner.post("/models/slow/versions/1/pause")
    assert told() == (200, "paused")
    paced.owner.post("/models/slow/versions/1/resume")
    assert told() == (200, None)


def test_queue_estimate_of_a_version_that_is_loading(paced: LiveStack, obstacle: Path) -> None:
    obstacle.touch()
    register(paced.home, "heavy", Heavy(str(obstacle)), [ROW])
    try:
        task_id = paced.submit("heavy", ROW)["id"]
        until(lambda: waiting_for(paced, task_id) == "model_loading", "its model is loading")
    finally:
        obstacle.unlink()
    assert paced.outcome(task_id)["status"] == "succeeded"


def test_queue_estimate_while_a_worker_loads_its_first_models(
    paced: LiveStack, obstacle: Path
) -> None:
    paced.stop("worker")
    obstacle.touch()
    task_id = paced.submit("slow", ROW)["id"]
    try:
        paced.launch("worker")
        until(lambda: waiting_for(paced, task_id) == "model_loading", "its models are loading")
        ready = paced.http.get("/ready")
        assert (ready.status_code, ready.json()["waiting_for"]) == (503, "model_loading")
        assert ready.json()["workers"] == 0
    finally:
        obstacle.unlink()
    assert paced.outcome(task_id)["status"] == "succeeded"
