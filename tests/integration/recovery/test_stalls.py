"""A stalled worker ends, logs the reason, is restarted, and loses no message."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from stack.process import Program
from stack.supervisor import Supervisor
from tests.support.models import Doubling, register
from tests.support.silent_proxy import silent_proxy
from tests.support.stack import TEST_TIMEOUT, LiveStack, running
from tests.support.stock_producer import Stock

pytestmark = pytest.mark.slow

ROW = [1.0, 0.0]
REPLACED = 60.0
"""Seconds for a stall to be seen, and another worker to be ready."""


@pytest.fixture(scope="module")
def headless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStack]:
    """A stack without a worker; tests run their own under the supervisor of `up`."""
    home = tmp_path_factory.mktemp("headless")
    register(home, "doubling", Doubling(), [ROW])
    with running(home, forks=True, PREDICTQ_VISIBILITY_TIMEOUT="2") as stack:
        stack.do_without("worker")
        yield stack


@contextmanager
def supervised(stack: LiveStack, told: list[str], **changes: object) -> Iterator[Supervisor]:
    program: Program = stack._programs["worker"]
    environment = {**program.environment, **stack._environment, **changes.pop("environment", {})}
    program = msgspec.structs.replace(program, environment=environment, **changes)
    with Supervisor(stack.home / "supervised", told.append) as supervisor:
        supervisor.start(program, within=TEST_TIMEOUT)
        yield supervisor


def answered(stack: LiveStack, ids: list[str]) -> bool:
    answers = [stack.http.get(f"/predict/result/{task_id}") for task_id in ids]
    return all(answer.status_code == 200 for answer in answers)


def assert_replaced_and_nothing_lost(stack: LiveStack, ids: list[str], told: list[str]) -> None:
    outcomes = [stack.outcome(task_id) for task_id in ids]
    assert [outcome["predictions"] for outcome in outcomes] == [[2.0]] * len(ids)
    assert any(f"exit code {os.EX_SOFTWARE}" in line for line in told), told


def test_worker_with_a_lost_answer_to_its_queue_watch_is_replaced(headless: LiveStack) -> None:
    told: list[str] = []
    with silent_proxy(headless.redis_url) as proxy:
        through = {"environment": {"REDIS_URL": proxy.url}}
        with supervised(headless, told, **through) as supervisor:
            assert headless.predict("doubling", ROW) == [2.0]
            proxy.withholds.set()
            ids: list[str] = []

            def replaced() -> bool:
                if answered(headless, ids):  # a busy worker finds messages without its watch
                    ids.extend(headless.submit("doubling", ROW)["id"] for _ in range(20))
                return any("died" in line for line in told)

            supervisor.until(replaced, within=REPLACED)
            proxy.withholds.clear()
            supervisor.until(lambda: answered(headless, ids), within=REPLACED)
            assert_replaced_and_nothing_lost(headless, ids, told)
    assert "a process is free, and no message is reserved" in logged(headless.home)


def test_worker_whose_loop_stands_still_is_ended(headless: LiveStack) -> None:
    told: list[str] = []
    command = tuple(
        "tests.support.blocked_worker" if word == "workers" else word
        for word in headless._programs["worker"].command
    )
    with supervised(headless, told, command=command) as supervisor:
        assert headless.predict("doubling", ROW) == [2.0]
        Stock(headless.redis_url).app.control.broadcast("block_event_loop")
        ids = [headless.submit("doubling", ROW)["id"] for _ in range(20)]
        supervisor.until(lambda: any("died" in line for line in told), within=REPLACED)
        supervisor.until(lambda: answered(headless, ids), within=REPLACED)
        assert_replaced_and_nothing_lost(headless, ids, told)
    assert "messages wait, but" in logged(headless.home)


def logged(home: Path) -> str:
    return (home / "supervised" / "worker.log").read_text()
