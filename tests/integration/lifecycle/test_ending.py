"""A worker that is told to end finishes what runs, in time; told twice, it ends at once."""

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
    # Whatever came back by its timeout would come too late for these tests.
    environment = {"PREDICTQ_SHUTDOWN_TIMEOUT": str(TIMEOUT), "PREDICTQ_VISIBILITY_TIMEOUT": "60"}
    with running(home, **environment) as stack:
        yield stack


@pytest.fixture
def client(stack: LiveStack) -> Iterator[redis.Redis]:
    with connect(stack.redis_url) as client:
        yield client


def submit_running(stack: LiveStack, seconds: float) -> list[str]:
    """As many as there are processes, all of them running."""
    ids = [stack.submit("sleeping", [float(n), seconds])["id"] for n in (1, 2)]
    until(lambda: all(status(stack, i) == "running" for i in ids), "both processes busy")
    return ids


def status(stack: LiveStack, task_id: str) -> str:
    return str(stack.http.get(f"/predict/result/{task_id}").json()["status"])


def stop(stack: LiveStack, signals: int = 1) -> float:
    """Seconds until the worker was gone."""
    pid, started = stack.pid("worker"), time.monotonic()
    for _ in range(1, signals):
        os.kill(pid, signal.SIGTERM)
        until(lambda: "shutdown (MainProcess)" in stack.logs(5), "the signal heard")
    stack.stop("worker")
    return time.monotonic() - started


def test_what_runs_is_finished_and_what_waits_goes_back(
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


def test_what_takes_too_long_goes_back_in_time_and_is_not_charged(
    stack: LiveStack, client: redis.Redis
) -> None:
    ids = submit_running(stack, 7.0)
    seconds = stop(stack)
    assert TIMEOUT - 5 <= seconds < TIMEOUT
    assert client.llen("predict") == 2
    assert client.hlen(keys.RESERVED) == client.hlen(keys.ATTEMPTS) == 0
    stack.start("worker")
    assert {stack.outcome(task_id)["receipt"]["attempt"] for task_id in ids} == {1}


def test_a_second_signal_ends_it_at_once_and_everything_goes_back(
    stack: LiveStack, client: redis.Redis
) -> None:
    ids = submit_running(stack, 4.0)
    assert stop(stack, signals=2) < AT_ONCE
    assert client.llen("predict") == 2
    assert client.hlen(keys.RESERVED) == client.hlen(keys.ATTEMPTS) == 0
    stack.start("worker")
    assert {stack.outcome(task_id)["receipt"]["attempt"] for task_id in ids} == {1}


def test_it_ends_in_time_without_redis(stack: LiveStack) -> None:
    submit_running(stack, 0.5)
    stack.kill("redis")
    until(lambda: "annot connect" in stack.logs() or "is away" in stack.logs(), "the outage seen")
    assert stop(stack) < TIMEOUT + 1
    stack.start("redis", "worker")
    assert stack.predict("sleeping", [4.0, 0.0]) == [8.0]
