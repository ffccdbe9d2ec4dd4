"""Requests for the outcomes of many predictions, over a fake ledger."""

import asyncio
import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from api.bulk.results import RESULTS, Results
from api.limits.send_budget import SendBudget
from api.operations.request_metrics import RequestMetrics
from tasks.record import Record, State
from tasks.settings import Settings
from tests.integration.ledger.ledger_harness import PREDICTION

WAIT_SECONDS = 1000


class Ledger:
    """One record, which is queued until `settle` is called; counts what is asked."""

    def __init__(self, deadline: float | None = None) -> None:
        queued = Record.queued("a", PREDICTION)
        self.record = replace(queued, queue_deadline=deadline)
        self.reads = self.looks = self.expired = 0

    async def records_async(self, ids: Sequence[str], most: int) -> list[Record | None]:
        self.reads += 1
        return [self.record for _ in ids]

    async def states(self, ids: Sequence[str]) -> list[State | None]:
        self.looks += 1
        await self.looked()
        return [self.record.state for _ in ids]

    async def looked(self) -> None:
        """What happens at each look for states."""

    async def expire_async(self, record: Record) -> None:
        self.expired += 1
        self.record = replace(self.record, state="expired")


def ask(ledger: Any, ids: Sequence[str], gone: asyncio.Event | None = None) -> list[Any]:
    """Ask for outcomes, and wait for them long; ``gone``: once set, the client has left."""
    body, sent = json.dumps(ids).encode(), []
    gateway: Any = SimpleNamespace(ledger=ledger, is_shutting_down=False)
    predictions: Any = SimpleNamespace(view=lambda record: {"status": record.state})
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
    results = Results(predictions, gateway, sending, RequestMetrics(), receive)
    asyncio.run(asyncio.wait_for(results(scope, receive, send), 20))
    return [json.loads(line) for line in b"".join(sent).splitlines()]


def test_results_that_are_waited_for_are_read_when_they_are_there() -> None:
    """An outcome may have megabytes."""
    ledger = Ledger()

    async def settle_at_last() -> None:
        if ledger.looks == 5:
            ledger.record = replace(ledger.record, state="succeeded")

    ledger.looked = settle_at_last
    assert ask(ledger, ["a"]) == [{"status": "succeeded"}]
    assert ledger.reads == 2, "once before the outcome, and once for the answer"


def test_results_are_not_waited_for_once_the_client_has_left() -> None:
    ledger, gone = Ledger(), asyncio.Event()

    async def leave() -> None:
        gone.set()

    ledger.looked = leave
    assert ask(ledger, ["a"], gone) == [{"status": "queued"}]


@pytest.mark.parametrize("ids", [["a"], ["a", "b", "c"]], ids=["one", "many"])
def test_results_that_are_overdue_are_settled(ids: list[str]) -> None:
    ledger = Ledger(deadline=1.0)
    assert ask(ledger, ids) == [{"status": "expired"}] * len(ids)
    assert ledger.expired == 1
