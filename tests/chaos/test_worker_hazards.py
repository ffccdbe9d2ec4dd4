"""Hazards of workers, each on a stack with a visibility timeout of two seconds."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import redis
from sklearn.ensemble import RandomForestClassifier

from registry.store import Registry
from stack.process import Process
from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import DEADLY, KillsItsWorker, described, register
from tests.support.sleeping_model import Sleeping, begun
from tests.support.stack import START_TIMEOUT, LiveStack, running, until

pytestmark = pytest.mark.slow

VISIBILITY = 2.0
FOREST_ROW = [0.5, 0.5]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("risk")
    (home / "diary").touch()
    register(home, "sleeping", Sleeping(str(home / "diary")), [[1.0, 0.0]])
    register(home, "regicide", KillsItsWorker(), [[1.0, 0.0]])
    x = np.random.default_rng(0).random((200, 2))
    forest = RandomForestClassifier(50, n_jobs=-1, random_state=0).fit(x, x[:, 0] > x[:, 1])
    register(home, "forest", forest, [FOREST_ROW])
    return home


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[LiveStack]:
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT=str(VISIBILITY)) as stack:
        assert stack.predict("sleeping", [0.0, 0.0]) == [0.0]
        yield stack


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url) as client:
        yield client


def second_worker(stack: LiveStack) -> Process:
    """Start a second worker that takes messages; return the first."""
    first = stack.launch_second("worker")
    until(
        lambda: stack.parts.stages()[0][0].relieves(stack.pid("worker")), "another", START_TIMEOUT
    )
    return first


def times_begun(stack: LiveStack, value: float) -> int:
    return begun(stack.home / "diary").count(value)


def test_hazard_1_worker_killed_between_reserving_and_starting(
    stack: LiveStack, client: redis.Redis
) -> None:
    with stack.frozen_pool():
        ids = [stack.submit("sleeping", [float(n), 0.0])["id"] for n in range(20)]
        until(lambda: client.hlen(keys.RESERVED), "some are taken, none is started")
        stack.kill("worker")
    there = client.hlen(keys.RESERVED) + client.llen("predict")
    stack.start("worker")
    assert there == 20
    assert [stack.outcome(i)["predictions"] for i in ids] == [[2.0 * n] for n in range(20)]


def test_hazard_5_killed_worker_s_predictions_start_again_soon(stack: LiveStack) -> None:
    victim = second_worker(stack)
    ids = [stack.submit("sleeping", [50.0 + n, 1.0])["id"] for n in range(4)]
    until(lambda: all(times_begun(stack, 50.0 + n) for n in range(4)), "all computed by someone")
    killed = time.monotonic()
    os.killpg(victim.group, signal.SIGKILL)
    until(lambda: not victim.running(), "its death")
    outcomes = [stack.outcome(task_id) for task_id in ids]
    assert {outcome["status"] for outcome in outcomes} == {"succeeded"}
    assert max(outcome["receipt"]["attempt"] for outcome in outcomes) == 2
    # Visibility timeout, upkeep interval, four computations in a row, and slack for a busy machine.
    assert time.monotonic() - killed < VISIBILITY + 0.5 + 4 + 5


def test_hazard_6_prediction_longer_than_the_visibility_timeout_runs_once(
    stack: LiveStack,
) -> None:
    first = second_worker(stack)  # another worker could take it
    try:
        task_id = stack.submit("sleeping", [600.0, 3 * VISIBILITY])["id"]
        assert stack.outcome(task_id)["receipt"]["attempt"] == 1
        assert times_begun(stack, 600.0) == 1
    finally:
        first.terminate()
        until(lambda: not first.running(), "the end of the other")


def test_hazard_9_prediction_that_kills_the_worker_is_given_up(stack: LiveStack) -> None:
    task_id = stack.submit("regicide", [DEADLY, 0.0])["id"]
    good = stack.submit("regicide", [1.0, 0.0])["id"]
    path = f"/predict/result/{task_id}"
    deaths = 0
    while stack.http.get(path).status_code == 202:
        until(
            lambda: not stack.is_running("worker") or stack.http.get(path).status_code == 200,
            "the next death, or the end",
            START_TIMEOUT,
        )
        if not stack.is_running("worker"):
            deaths += 1
            stack.start("worker")
    assert stack.outcome(task_id)["error"]["code"] == "worker_lost"
    assert 1 < deaths <= 5
    assert stack.outcome(good)["predictions"] == [2.0]


def test_hazard_19_corrupt_artifact_fails_its_own_predictions_alone(stack: LiveStack) -> None:
    Registry(stack.home).add("corrupt", described(b"no artifact"), b"no artifact")
    worker, api = stack.pid("worker"), stack.pid("api")
    error = stack.outcome(stack.submit("corrupt", [0.0])["id"])["error"]
    assert error["code"] == "model_unloadable"
    assert stack.predict("sleeping", [3.0, 0.0]) == [6.0]
    stack.stop("api")
    stack.start("api")  # a new one never sees the artifact
    assert stack.predict("sleeping", [3.0, 0.0]) == [6.0]
    assert stack.pid("worker") == worker
    assert stack.pid("api") != api


def test_hazard_20_forest_of_all_cores_neither_hangs_nor_oversubscribes(stack: LiveStack) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: stack.predict("forest", [FOREST_ROW] * 20), range(100))
        assert len({tuple(answer) for answer in answers}) == 1
    pool_of_processes = stack.pool()
    assert len(pool_of_processes) == 2
    assert [process.num_threads() for process in pool_of_processes] == [1, 1]
