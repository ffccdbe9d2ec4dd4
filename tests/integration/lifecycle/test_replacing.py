"""API and worker are replaced under load: no request fails and no prediction is lost."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tasks.ledger import keys
from tasks.ledger.ledger import connect
from tests.support.models import with_models_of
from tests.support.stack import LiveStack, is_idle, running, until
from tests.support.traffic import BODY, HEADERS, Traffic, traffic

pytestmark = pytest.mark.slow

ROUNDS = 3


@pytest.fixture(scope="module")
def stack(constant_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    home = with_models_of(constant_home, tmp_path_factory.mktemp("replacing"))
    with running(home, forks=True) as stack:
        until(stack.serves, "a prediction")
        yield stack


def servers(stack: LiveStack) -> set[int]:
    return {child.pid for child in psutil.Process(stack.pid("api")).children()}


def replace_api(stack: LiveStack) -> None:
    before = servers(stack)
    os.kill(stack.pid("api"), signal.SIGHUP)
    until(lambda: len(now := servers(stack)) == 1 and not now & before, "the new API")


def more(calling: Traffic) -> None:
    """Wait until the callers got more answers."""
    known = len(calling.accepted)
    until(lambda: len(calling.accepted) > known + 100 or calling.failures, "more requests")


def assert_all_answered(stack: LiveStack, calling: Traffic) -> None:
    assert calling.failures == []
    records = [keys.record(task_id) for task_id in calling.accepted]
    with connect(stack.redis_url, timeout=10) as client:
        until(lambda: is_idle(client), "all are done")
        assert {json.loads(record)["state"] for record in client.mget(records)} == {"succeeded"}


def test_api_is_replaced_without_a_failed_request(stack: LiveStack) -> None:
    with traffic(stack.parts.port) as calling:
        for _ in range(ROUNDS):
            more(calling)
            replace_api(stack)
        more(calling)
    assert calling.closed >= ROUNDS
    assert_all_answered(stack, calling)


def test_api_process_that_is_killed_refuses_no_request(stack: LiveStack) -> None:
    until(lambda: len(servers(stack)) == 1, "one process")
    (pid,) = servers(stack)
    os.kill(pid, signal.SIGSTOP)  # new connections wait in the socket's backlog
    callers = [HTTPConnection("127.0.0.1", stack.parts.port, timeout=30) for _ in range(5)]
    for caller in callers:
        caller.request("POST", "/predict/async", BODY, HEADERS)
    os.kill(pid, signal.SIGKILL)
    assert [caller.getresponse().status for caller in callers] == [202] * 5
    for caller in callers:
        caller.close()


def test_api_shutdown_answers_waiting_callers_with_the_id(stack: LiveStack) -> None:
    with stack.frozen_pool(), ThreadPoolExecutor(1) as pool:
        until(lambda: len(servers(stack)) == 1, "one process")
        waiter = pool.submit(stack.http.post, "/predict", content=BODY, headers=HEADERS)
        until(lambda: stack.http.get("/stats").json()["reserved"], "one who waits")
        replace_api(stack)
        answer = waiter.result(timeout=5)
    assert answer.status_code == 202
    assert stack.outcome(answer.json()["id"])["status"] == "succeeded"


@pytest.mark.timeout(400)
def test_workers_are_replaced_one_by_another_and_nothing_is_lost(stack: LiveStack) -> None:
    with traffic(stack.parts.port) as calling:
        for _ in range(2):
            more(calling)
            replace_worker(stack)
        more(calling)
    assert_all_answered(stack, calling)


def replace_worker(stack: LiveStack) -> None:
    """Start a second worker; stop the first once the second takes messages."""
    first = stack.launch_second("worker")
    until(lambda: stack.parts.stages()[0][0].relieves(stack.pid("worker")), "the second", 90)
    first.terminate()
    until(lambda: not first.running(), "the end of the first")
    assert first.code == 0
