"""Shutdown of a worker: what runs is finished in time; a second signal ends it at once."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import register
from tests.support.sleeping_model import Sleeping
from tests.support.stack import LiveStack, running, until

pytestmark = pytest.mark.slow

TIMEOUT = 8
"""Seconds from SIGTERM to the end, three of them for what runs."""
AT_ONCE = 2.0
"""Seconds."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = tmp_path_factory.mktemp("ending")
    (home / "diary").touch()
    register(home, "sleeping", Sleeping(str(home / "diary")), [[1.0, 0.0]])
    # A return by the visibility timeout would come too late for these tests.
    environment = {"PREDICTQ_SHUTDOWN_TIMEOUT": str(TIMEOUT), "PREDICTQ_VISIBILITY_TIMEOUT": "60"}
    with running(home, forks=True, **environment) as stack:
        yield stack


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url) as client:
        yield client


def submit_running(stack: LiveStack, seconds: float) -> list[str]:
    """Submit one prediction for each process; return the ids once all are running."""
    ids = [stack.submit("sleeping", [float(n), seconds])["id"] for n in (1, 2)]
    until(lambda: all(status(stack, i) == "running" for i in ids), "both processes busy")
    return ids


def status(stack: LiveStack, task_id: str) -> str:
    return str(stack.http.get(f"/predict/result/{task_id}").json()["status"])


def stop(stack: LiveStack, signals: int = 1) -> float:
    """Stop the worker and return the seconds until it ended."""
    pid, started = stack.pid("worker"), time.monotonic()
    for _ in range(1, signals):
        os.kill(pid, signal.SIGTERM)
        until(lambda: "shutdown (MainProcess)" in stack.logs(5), "the signal heard")
    stack.stop("worker")
    return time.monotonic() - started


def test_shutdown_finishes_running_and_returns_waiting_predictions(
    stack: LiveStack, client: redis.Redis
) -> None:
    ids = submit_running(stack, 1.5)
    waiting = [stack.submit("sleeping", [3.0, 0.0])["id"] for _ in range(5)]
    assert stop(stack) < TIMEOUT
    assert [status(stack, task_id) for task_id in ids] == ["succeeded", "succeeded"]
    assert [status(stack, task_id) for task_id in waiting] == ["queued"] * 5
    assert client.llen("predict") == 5
    assert client.hlen(keys.RESERVED) == 0
    stack.start("worker")
    assert {stack.outcome(i)["receipt"]["attempt"] for i in ids + waiting} == {1}


def test_shutdown_returns_long_predictions_without_an_attempt(
    stack: LiveStack, client: redis.Redis
) -> None:
    ids = submit_running(stack, 7.0)
    seconds = stop(stack)
    assert TIMEOUT - 5 <= seconds < TIMEOUT
    assert client.llen("predict") == 2
    assert client.hlen(keys.RESERVED) == client.hlen(keys.ATTEMPTS) == 0
    stack.start("worker")
    assert {stack.outcome(task_id)["receipt"]["attempt"] for task_id in ids} == {1}


def test_second_signal_ends_the_worker_and_returns_its_messages(
    stack: LiveStack, client: redis.Redis
) -> None:
    ids = submit_running(stack, 4.0)
    assert stop(stack, signals=2) < AT_ONCE
    assert client.llen("predict") == 2
    assert client.hlen(keys.RESERVED) == client.hlen(keys.ATTEMPTS) == 0
    stack.start("worker")
    assert {stack.outcome(task_id)["receipt"]["attempt"] for task_id in ids} == {1}


def test_shutdown_without_redis_is_in_time(stack: LiveStack) -> None:
    submit_running(stack, 0.5)
    stack.kill("redis")
    seen = "annot connect", "is unavailable"
    until(lambda: any(words in stack.logs() for words in seen), "the outage seen")
    assert stop(stack) < TIMEOUT + 1
    stack.start("redis", "worker")
    assert stack.predict("sleeping", [4.0, 0.0]) == [8.0]
