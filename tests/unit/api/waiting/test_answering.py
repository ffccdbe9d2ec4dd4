"""Answers to requests that waited, over records that are given."""

import asyncio
import json
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from api.http.prefer import Preference
from api.predictions.routes import AwaitedOutcome, Predictions
from api.waiting import answering
from api.waiting.answering import Answering
from api.waiting.entering import Entered
from tasks.ledger.ledger import RecordTooLong
from tasks.ledger.queue.queue_estimate import QueueEstimate
from tasks.messages import Prediction
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import Busy, ModelError
from tests.receipts import RECEIPT

PREDICTION = Prediction(
    model="m", version=2, alias=None, method="predict", features=[], created_at=1.0
)
QUEUED = Record.queued("an-id", PREDICTION)
SUCCEEDED = QUEUED.succeeded([1, 2], RECEIPT)
WAITED = AwaitedOutcome(QUEUED, Preference(wait=7), seconds=7, is_submission=True)


class Wait:
    """A wait that ends as it is told to."""

    task_id, is_over = "an-id", False

    def __init__(self, *ends: Record | Exception) -> None:
        self._ends = list(ends)
        self.asked: list[float] = []

    async def outcome(self, _: Record, seconds: float) -> Record:
        self.asked.append(seconds)
        end = self._ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    def end(self) -> None:
        self.is_over = True


class Waits:
    """Counts the waits that were given back."""

    def __init__(self) -> None:
        self.ended: list[Any] = []

    def end(self, wait: Any) -> None:
        self.ended.append(wait)


class Full:
    """A budget that refuses outcomes."""

    @contextmanager
    def holding(self, size: int) -> Any:
        if size > 400:
            raise Busy
        yield


async def stay() -> Any:
    """A client that says nothing, and stays."""
    await asyncio.Event().wait()


def told(
    wait: Any,
    asked: AwaitedOutcome = WAITED,
    sending: Any = None,
    receive: Callable[[], Any] = stay,
) -> tuple[int, dict[str, str], Any]:
    """Status, header and body of the answer."""
    estimates = SimpleNamespace(is_stale_for=lambda _: False, of=lambda _: QueueEstimate())
    gateway: Any = SimpleNamespace(queue_estimates=estimates, look_up=lambda _: SUCCEEDED)
    unread: Any = None
    settings = Settings(home=Path("/nowhere"), redis_url="")
    predictions = Predictions(gateway, unread, settings, unread)
    waits: Any = Waits()
    generous: Any = SimpleNamespace(holding=lambda _: nullcontext())
    events: list[Any] = []

    async def send(event: Any) -> None:
        events.append(event)

    answers = Answering(predictions, gateway, waits, sending or generous)
    status = asyncio.run(answers.answer(Entered(asked, wait), receive, send))
    assert waits.ended == [wait]
    head = {name.decode(): value.decode() for name, value in events[0]["headers"]}
    assert events[0]["status"] == status
    return status, head, json.loads(b"".join(event.get("body", b"") for event in events))


def test_answer_is_the_outcome() -> None:
    status, head, body = told(Wait(SUCCEEDED))
    assert (status, body["predictions"], head["preference-applied"]) == (200, [1, 2], "wait=7")
    assert head["location"] == "/predict/result/an-id"


def test_answer_to_a_failure_is_a_problem() -> None:
    status, head, body = told(Wait(QUEUED.failed(ModelError("no"), 1, "Traceback")))
    assert (status, body["code"]) == (422, "model_error")
    assert head["location"] == "/predict/result/an-id"
    assert "traceback" not in body


def test_answer_after_the_whole_wait_is_the_present_state() -> None:
    wait = Wait(QUEUED, QUEUED)
    status, head, body = told(wait)
    assert (status, body["status"], head["preference-applied"]) == (202, "queued", "wait=7")
    assert wait.asked == [answering.WATCH_AFTER, 7 - answering.WATCH_AFTER]


def test_answer_without_a_place_to_wait_is_the_id() -> None:
    status, head, body = told(None)
    assert (status, body["id"], "preference-applied" in head) == (202, "an-id", False)


@pytest.mark.parametrize("at", [0, 1], ids=["at once", "later"])
def test_answer_without_redis_is_the_id(at: int) -> None:
    status, head, body = told(Wait(*[QUEUED] * at, redis.ConnectionError()))
    assert (status, body["id"], "preference-applied" in head) == (202, "an-id", False)


def test_answer_with_a_long_outcome_is_made_by_a_thread() -> None:
    assert told(Wait(RecordTooLong()))[2]["predictions"] == [1, 2]


def test_answer_that_is_too_large_to_be_sent_is_the_id() -> None:
    status, head, body = told(Wait(SUCCEEDED), sending=Full())
    assert (status, body["id"], "preference-applied" in head) == (202, "an-id", False)


def test_answer_to_a_look_up_that_is_too_large_is_refused() -> None:
    with pytest.raises(Busy):
        told(Wait(SUCCEEDED), AwaitedOutcome(QUEUED, seconds=7), Full())


def test_wait_of_a_client_that_has_left_is_ended() -> None:
    class Left(Wait):
        async def outcome(self, known: Record, seconds: float) -> Record:
            while self.asked and not self.is_over:
                await asyncio.sleep(0)
            return await super().outcome(known, seconds)

    async def leave() -> Any:
        return {"type": "http.disconnect"}

    wait = Left(QUEUED, QUEUED)
    assert told(wait, receive=leave)[0] == 202
    assert wait.is_over
