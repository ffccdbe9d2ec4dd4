"""The gateway: what it submits, what a missing record means, and what is cancelled."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from tasks.callers.caller import Limits, Throttle
from tasks.gateway import QUEUES, Gateway, is_reachable
from tasks.ids import Ids
from tasks.ledger.ledger import RecordTooLong
from tasks.ledger.predictions.acceptance import Accepted, Offer, Reused
from tasks.ledger.queue.canaries import CANARY_MODEL
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.messages import Idempotency, Prediction, Reuse
from tasks.record import Record
from tasks.settings import Settings
from tasks.targets.webhook import Target
from telemetry.errors import (
    Forbidden,
    Lost,
    PredictionNotFound,
    ResultGone,
    SubmissionUncertain,
)

NAME, _, NUMBER = CANARY_MODEL.partition(":")
TTL = 3600
IDS = Ids(b"key")
KEY = Idempotency("k", "payload")
PREDICTION = Prediction(
    model="churn",
    version=1,
    alias=None,
    method="predict",
    features=[[1.0], [2.0]],
    created_at=1.0,
)


class FakeLedger:
    """A ledger in memory, which notes what is settled and expired."""

    client = redis.Redis()

    def __init__(self, *records: Record) -> None:
        self.records = {record.task_id: record for record in records}
        self.accepted: list[Offer] = []
        self.settled: list[Any] = []
        self.earlier: Accepted | Exception | None = None
        """What is answered for an offer: an earlier id, an outcome that is reused, or an error."""
        self.is_long = False

    def record(self, task_id: str) -> Record | None:
        return self.records.get(task_id)

    async def record_async(self, task_id: str) -> Record | None:
        if self.is_long:
            raise RecordTooLong
        return self.record(task_id)

    def accept(self, offer: Offer) -> Accepted:
        self.accepted.append(offer)
        if isinstance(self.earlier, Exception):
            raise self.earlier
        return self.earlier or offer.record.task_id

    async def accept_async(self, offer: Offer) -> Accepted:
        return self.accept(offer)

    def settle(self, version: str, outcomes: list[Any]) -> None:
        self.settled.append(version)
        for settled in outcomes:
            self.records[settled.record.task_id] = settled.record

    def expire(self, record: Record) -> None:
        self.settle(record.reference, [])
        self.records[record.task_id] = record.expired()

    async def expire_async(self, record: Record) -> None:
        self.expire(record)


def gateway(*records: Record) -> tuple[Gateway, FakeLedger]:
    ledger: Any = FakeLedger(*records)
    settings = Settings(home=Path("/none"), redis_url="", result_ttl=TTL)
    return Gateway(ledger, IDS, settings), ledger


def queued(task_id: str = "x", **changes: Any) -> Record:
    return Record.queued(task_id, msgspec.structs.replace(PREDICTION, **changes))


Submitting = Callable[[Gateway], Record]
SUBMITTING: list[Submitting] = [
    lambda asked: asked.submit(PREDICTION, KEY),
    lambda asked: asyncio.run(asked.accept_async(asked.offer(PREDICTION, KEY))),
]
LOOKING_UP: list[Callable[[Gateway, str], Record]] = [
    lambda asked, task_id: asked.look_up(task_id),
    lambda asked, task_id: asyncio.run(asked.look_up_async(task_id)),
    lambda asked, task_id: asyncio.run(asked.look_up_long_async(task_id)),
]


def test_canary_cannot_be_cancelled() -> None:
    """A canary's id can be guessed, and without canaries a stalled queue would look healthy."""
    asked, ledger = gateway(queued(model=NAME, version=int(NUMBER)))
    with pytest.raises(
        Forbidden, match=r"^a canary belongs to the workers and cannot be cancelled$"
    ):
        asked.cancel("x")
    assert ledger.settled == []


def test_prediction_is_cancelled_once() -> None:
    asked, ledger = gateway(queued())
    assert [asked.cancel("x").state for _ in range(2)] == ["cancelled", "cancelled"]
    assert ledger.settled == ["churn:1"]


@pytest.mark.parametrize("submit", SUBMITTING)
def test_submission_is_offered_under_a_new_id(submit: Submitting) -> None:
    asked, ledger = gateway()
    first, second = submit(asked), submit(asked)
    assert first.task_id != second.task_id
    offer = ledger.accepted[0]
    assert offer.record == first == queued(first.task_id)
    assert (offer.queue, offer.rows, offer.idempotency) == ("predict", 2, KEY)
    message = json.loads(offer.message)
    assert message["headers"]["id"] == first.task_id
    assert message["headers"]["task"] == "tasks.prediction.predict"
    assert message["properties"]["delivery_info"]["routing_key"] == "predict"


@pytest.mark.parametrize("submit", SUBMITTING)
def test_submission_of_a_known_key_is_the_earlier_prediction(submit: Submitting) -> None:
    asked, ledger = gateway(queued("before").cancelled())
    ledger.earlier = "before"
    assert submit(asked).state == "cancelled"


@pytest.mark.parametrize("is_long", [True, False], ids=["long", "short"])
@pytest.mark.parametrize("submit", SUBMITTING)
def test_submission_that_reuses_an_answer_has_its_outcome(
    submit: Submitting, is_long: bool
) -> None:
    """A short record comes with the answer; a long one is looked up."""
    outcome = queued("new").cancelled()
    asked, ledger = gateway(*([outcome] if is_long else []))
    ledger.earlier = Reused("new", b"" if is_long else msgspec.json.encode(outcome))
    assert submit(asked) == outcome


@pytest.mark.parametrize("submit", SUBMITTING)
def test_submission_whose_reused_record_is_damaged_is_looked_up(
    submit: Submitting, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = queued("new").cancelled()
    asked, ledger = gateway(outcome)
    ledger.earlier = Reused("new", b"no record")
    assert submit(asked) == outcome
    assert [vars(each)["id"] for each in caplog.records] == ["new"]


def test_offer_has_what_the_caller_asked_for() -> None:
    asked, _ = gateway()
    own = {
        "queue": "churn-staging",
        "tenant": "risk",
        "reuse": Reuse("answer", 60.0),
        "throttle": Throttle("key", Limits()),
        "webhook": Target("https://a.example/hook", "https://a.example:443"),
    }
    offer = asked.offer(msgspec.structs.replace(PREDICTION, **own), KEY)
    assert (offer.queue, offer.idempotency) == ("churn-staging", KEY.of("risk"))
    assert offer.reuse == own["reuse"]
    assert offer.throttle == own["throttle"]
    assert offer.webhook == own["webhook"]
    message = json.loads(offer.message)
    assert message["properties"]["delivery_info"]["routing_key"] == "churn-staging"
    assert asked.offer(PREDICTION).idempotency is None


@pytest.mark.parametrize("submit", SUBMITTING)
def test_uncertain_submission_is_no_lost_prediction(submit: Submitting) -> None:
    asked, ledger = gateway()
    ledger.earlier = SubmissionUncertain()
    with pytest.raises(SubmissionUncertain):
        submit(asked)
    with pytest.raises(
        PredictionNotFound, match=r"^the submission failed, and the prediction was not accepted$"
    ):
        asked.look_up(ledger.accepted[0].record.task_id)


def test_uncertain_ids_that_are_remembered_are_bounded() -> None:
    asked, _ = gateway()
    ids = [IDS.new() for _ in range(10_001)]
    for task_id in ids:
        asked.note_uncertain(task_id)
    assert isinstance(asked.missing(ids[0]), Lost)
    assert isinstance(asked.missing(ids[1]), PredictionNotFound)


@pytest.mark.parametrize("look_up", LOOKING_UP)
def test_look_up_expires_what_is_overdue(look_up: Callable[[Gateway, str], Record]) -> None:
    asked, ledger = gateway(queued("late", queue_deadline=1.0), queued("other"))
    assert look_up(asked, "late").state == "expired"
    assert look_up(asked, "other").state == "queued"
    assert ledger.settled == ["churn:1"]


@pytest.mark.parametrize("look_up", LOOKING_UP)
def test_look_up_of_a_missing_record_says_what_that_means(
    look_up: Callable[[Gateway, str], Record],
) -> None:
    asked, _ = gateway()
    with pytest.raises(PredictionNotFound):
        look_up(asked, "never given out")
    with pytest.raises(Lost):
        look_up(asked, IDS.new())


def test_outcome_is_gone_after_its_time_to_live(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = gateway()
    task_id, now = IDS.new(), time.time()
    monkeypatch.setattr(time, "time", lambda: now + TTL - 5)
    assert isinstance(asked.missing(task_id), Lost)
    monkeypatch.setattr(time, "time", lambda: now + TTL + 5)
    assert isinstance(asked.missing(task_id), ResultGone)


def test_long_record_is_looked_up_by_a_thread() -> None:
    asked, ledger = gateway(queued())
    ledger.is_long = True
    with pytest.raises(RecordTooLong):
        asyncio.run(asked.look_up_async("x"))
    assert asyncio.run(asked.look_up_long_async("x")) == queued()


def test_waited_offer_has_the_mark_of_the_process() -> None:
    asked, _ = gateway()
    offer = asked.waited_offer(PREDICTION, KEY)
    assert Ids.mark_of(offer.record.task_id) == asked.mark
    assert Ids.mark_of(asked.offer(PREDICTION).record.task_id) != asked.mark
    assert (offer.queue, offer.rows, offer.idempotency) == ("predict", 2, KEY)
    assert QUEUES == ("predict", "bulk")


def test_queue_estimates_are_of_the_queue_of_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, _ = gateway()
    queues: list[str] = []
    monkeypatch.setattr(QueueSnapshots, "of", lambda _, queue: queues.append(queue))
    asked.queue_estimates.freshen(msgspec.structs.replace(queued(), number=1))
    assert queues == ["predict"]


def test_waits_end_with_the_process() -> None:
    asked, _ = gateway()
    assert not asked.is_shutting_down
    asked.begin_shutdown()
    assert asked.is_shutting_down


@pytest.mark.parametrize("reachable", [True, False])
def test_redis_is_reachable_if_it_answers(reachable: bool) -> None:
    class Client:
        def ping(self) -> bool:
            if not reachable:
                raise redis.ConnectionError
            return True

    client: Any = Client()
    assert is_reachable(client) is reachable
