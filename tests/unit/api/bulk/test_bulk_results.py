"""Requests for the outcomes of many predictions, over a fake ledger."""

import asyncio
import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from api.bulk.results import RESULTS, Results
from api.limits.send_budget import SendBudget
from api.operations.request_metrics import RequestMetrics
from tasks.record import Record, State
from tasks.settings import Settings
from tasks.waiting.wait import Wait
from tests.integration.ledger.ledger_harness import PREDICTION

WAIT_SECONDS = 1000


class Ledger:
    """One record, which is queued until it is settled; counts what is asked."""

    def __init__(self, deadline: float | None = None) -> None:
        queued = Record.queued("a", PREDICTION)
        self.record = replace(queued, queue_deadline=deadline)
        self.reads = self.expired = 0

    async def records_async(self, ids: Sequence[str], most: int) -> list[Record | None]:
        self.reads += 1
        return [self.record for _ in ids]

    async def states(self, ids: Sequence[str]) -> list[State | None]:
        return [self.record.state for _ in ids]

    async def expire_async(self, record: Record) -> None:
        self.expired += 1
        self.record = replace(self.record, state="expired")


class Waits:
    """Waits that something happens to as soon as they begin."""

    def __init__(self, ledger: Ledger, act: Callable[[Wait], object]) -> None:
        self._ledger, self._act = ledger, act
        self.count = 0

    async def begin_unbounded(self, task_id: str) -> Wait:
        async def look_up(_: str) -> Record:
            return self._ledger.record

        self.count += 1
        wait = Wait(task_id, look_up, is_over=False)
        asyncio.get_running_loop().call_later(0.01, self._act, wait)
        return wait

    def end(self, _: Wait) -> None:
        self.count -= 1


def ask(
    ledger: Any,
    ids: Sequence[str],
    act: Callable[[Wait], object] = Wait.notify,
    gone: asyncio.Event | None = None,
) -> list[Any]:
    """Ask for outcomes, and wait for them long; ``gone``: once set, the client has left."""
    body, sent = json.dumps(ids).encode(), []
    gateway: Any = SimpleNamespace(ledger=ledger)
    predictions: Any = SimpleNamespace(view=lambda record: {"status": record.state})
    waits: Any = Waits(ledger, act)
    events = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if events:
            return events.pop()
        await (gone or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event.get("body", b""))

    headers = [(b"content-type", b"application/json"), (b"prefer", b"wait=%d" % WAIT_SECONDS)]
    scope: Any = {"type": "http", "method": "POST", "path": RESULTS, "headers": headers}
    sending = SendBudget(Settings(home="/none", redis_url="").max_outcome_bytes)
    results = Results(predictions, gateway, waits, sending, RequestMetrics(), receive)
    asyncio.run(asyncio.wait_for(results(scope, receive, send), 20))
    assert waits.count == 0
    return [json.loads(line) for line in b"".join(sent).splitlines()]


def test_results_that_are_waited_for_are_read_when_they_are_there() -> None:
    """An outcome may have megabytes."""
    ledger = Ledger()

    def settle(wait: Wait) -> None:
        ledger.record = replace(ledger.record, state="succeeded")
        wait.notify()

    assert ask(ledger, ["a"], settle) == [{"status": "succeeded"}]
    assert ledger.reads == 2, "once before the outcome, and once for the answer"


def test_results_are_not_waited_for_once_the_client_has_left() -> None:
    ledger, gone = Ledger(), asyncio.Event()
    assert ask(ledger, ["a"], lambda _: gone.set(), gone) == [{"status": "queued"}]


def test_results_are_not_waited_for_once_the_process_shuts_down() -> None:
    assert ask(Ledger(), ["a"], Wait.end) == [{"status": "queued"}]


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"]], ids=["one", "many"])
def test_results_that_are_overdue_are_settled(ids: list[str]) -> None:
    ledger = Ledger(deadline=1.0)
    assert ask(ledger, ids) == [{"status": "expired"}] * len(ids)
    assert ledger.expired == 1


def test_results_of_another_tenant_are_not_waited_for() -> None:
    ledger = Ledger()
    ledger.record = replace(ledger.record, tenant="risk")
    found = ask(ledger, ["a", "b"], lambda _: pytest.fail("this waits"))
    assert [each["code"] for each in found] == ["prediction_not_found"] * 2
