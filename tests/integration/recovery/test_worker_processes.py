"""Worker processes are killed at inconvenient moments; accepted predictions are answered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.models import register, with_models_of
from tests.support.slow_models import Slow
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

ROW = [5.1, 3.5, 1.4, 0.2]
SECONDS = 0.002
"""Seconds that the slow model sleeps for each row."""
LONG = [[0.5, 0]] * 1000


@pytest.fixture(scope="module")
def mortal(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("mortal"))
    register(home, "slow", Slow(SECONDS), [[0.5, 0]])
    # The visibility timeout is eight seconds instead of thirty.
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="8") as stack:
        yield stack


def status(stack: LiveStack, task_id: str) -> str:
    answer: str = stack.http.get(f"/predict/result/{task_id}").json()["status"]
    return answer


def submit_long(stack: LiveStack, count: int) -> list[str]:
    """Submit slow predictions and wait until every pool process runs one."""
    # The worker learns that one row is quick, so the version may take every process (decision 43).
    assert stack.predict("slow", [0.5, 0]) == [1.0]
    ids = [stack.submit("slow", LONG)["id"] for _ in range(count)]
    busy = min(stack.parts.workers, count)
    until(lambda: [status(stack, i) for i in ids].count("running") == busy, "all processes busy")
    return ids


def outcomes(stack: LiveStack, ids: list[str]) -> list[dict[str, Any]]:
    return [stack.outcome(task_id, within=40) for task_id in ids]


def test_killed_worker_loses_nothing(mortal: LiveStack) -> None:
    ids = submit_long(mortal, 3)
    quick = [mortal.submit("iris", ROW)["id"] for _ in range(20)]
    mortal.kill("worker")
    assert not {status(mortal, task_id) for task_id in ids} & {"succeeded", "failed"}
    mortal.start("worker")
    answers = outcomes(mortal, ids)
    assert {answer["status"] for answer in answers} == {"succeeded"}
    # The two running predictions started again, as their receipts say.
    assert sorted(answer["receipt"]["attempt"] for answer in answers) == [1, 2, 2]
    assert {answer["status"] for answer in outcomes(mortal, quick)} == {"succeeded"}


def test_killed_pool_process_s_prediction_is_computed_again(mortal: LiveStack) -> None:
    until(mortal.serves, "a prediction")
    task_id = mortal.submit("slow", LONG)["id"]
    until(lambda: status(mortal, task_id) == "running", "the computation")
    victims = mortal.pool()
    quick = [mortal.submit("iris", ROW)["id"] for _ in range(5)]
    for process in victims:
        process.kill()
    receipt = mortal.outcome(task_id)["receipt"]
    assert receipt["attempt"] == 2
    assert {answer["status"] for answer in outcomes(mortal, quick)} == {"succeeded"}
    until(lambda: len(mortal.pool()) == len(victims), "new processes")
    assert not {p.pid for p in victims} & {p.pid for p in mortal.pool()}
    assert mortal.serves()


def test_killed_pool_process_that_had_not_begun_leaves_nothing_pending(mortal: LiveStack) -> None:
    with mortal.frozen_pool():
        victims = mortal.pool()
        ids = [mortal.submit("iris", ROW)["id"] for _ in range(5)]
        until(lambda: mortal.http.get("/stats").json()["reserved"] >= 2, "reserved messages")
        for process in victims:
            process.kill()
    assert {answer["status"] for answer in outcomes(mortal, ids)} == {"succeeded"}
    assert mortal.serves()


def test_terminated_worker_finishes_what_it_began(mortal: LiveStack) -> None:
    ids = submit_long(mortal, 2)
    waiting = [mortal.submit("iris", ROW)["id"] for _ in range(5)]
    mortal.stop("worker")
    answers = outcomes(mortal, ids)
    assert {(a["status"], a["receipt"]["attempt"]) for a in answers} == {("succeeded", 1)}
    assert {status(mortal, task_id) for task_id in waiting} <= {"queued", "succeeded"}
    mortal.start("worker")
    assert {answer["status"] for answer in outcomes(mortal, waiting)} == {"succeeded"}


@pytest.mark.parametrize("count", [1, 3], ids=["while it waits for more", "while it is full"])
def test_busy_worker_survives_a_killed_redis(mortal: LiveStack, count: int) -> None:
    assert mortal.serves()
    worker = mortal.pid("worker")
    ids = submit_long(mortal, count)
    mortal.kill("redis")
    mortal.start("redis")
    assert {answer["status"] for answer in outcomes(mortal, ids)} == {"succeeded"}
    assert mortal.serves()
    assert mortal.pid("worker") == worker
    assert mortal.http.get("/ready").status_code == 200


def test_api_processes_killed_lose_nothing(mortal: LiveStack) -> None:
    ids = [mortal.submit("iris", ROW)["id"] for _ in range(20)]
    mortal.kill("api")
    mortal.start("api")
    assert {answer["status"] for answer in outcomes(mortal, ids)} == {"succeeded"}
