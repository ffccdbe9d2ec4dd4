"""The limit of predictions in flight: they count from their acceptance until their outcome."""

import asyncio
from collections.abc import Callable

import pytest
import redis
from msgspec.structs import replace

from tasks.callers.caller import Limits, Throttle
from tasks.callers.rate import Rate
from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import Offer
from tasks.ledger.predictions.settled import Settled
from tasks.messages import Reuse
from telemetry.errors import ArtifactMismatch, InFlightLimited
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersHarness
from tests.integration.ledger.ledger_harness import GENEROUS, RECEIPT, full, offer

HELD = f"{keys.IN_FLIGHT_OF}a-key"


@pytest.fixture
def harness(client: redis.Redis) -> LettersHarness:
    client.flushall()
    return LettersHarness(client)


def of(task_id: str, most: int = 2, reuse: Reuse | None = None) -> Offer:
    """An offer of a key with this limit."""
    throttle = Throttle("a-key", Limits(in_flight=most))
    return replace(offer(task_id), throttle=throttle, reuse=reuse)


def in_flight(harness: LettersHarness) -> set[str]:
    held = {each.decode() for each in harness.client.zrange(HELD, 0, -1)}
    assert {each.decode() for each in harness.client.hkeys(keys.IN_FLIGHT)} == held
    return held


def test_limit_of_predictions_in_flight_refuses_until_one_has_its_outcome(
    harness: LettersHarness,
) -> None:
    accept = harness.ledger.accept
    accept(of("a"))
    accept(of("b"))
    accept(of("b"))  # the same call again
    with pytest.raises(InFlightLimited, match="2 predictions") as refused:
        accept(of("c"))
    assert harness.ledger.record("c") is None
    assert refused.value.extra["retry_after"] == 1
    told = refused.value.extra["headers"]
    assert told["RateLimit-Policy"] == '"in_flight";q=2;qu="concurrent-requests"'
    assert told["RateLimit"] == '"in_flight";r=0;t=1'
    accept(offer("no limit"))

    ((tag, _),) = harness.reservations.reserve("predict", 1, *GENEROUS)
    harness.ledger.start([(tag, "a")])
    with pytest.raises(InFlightLimited):
        accept(of("c"))
    outcome = harness.ledger.record("a").succeeded([1], RECEIPT)
    assert harness.ledger.settle("churn:3", [Settled(outcome, tag)]) == 1
    assert in_flight(harness) == {"b"}
    accept(of("c"))


End = Callable[[LettersHarness, str, str], object]


def cancel(harness: LettersHarness, task_id: str, _: str) -> None:
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record(task_id).cancelled())])


def fail(harness: LettersHarness, task_id: str, tag: str) -> None:
    """It becomes a dead letter."""
    outcome = harness.ledger.record(task_id).failed(ArtifactMismatch("it is damaged"))
    assert harness.ledger.settle("churn:3", [Settled(outcome, tag, dead_after=2)]) == 1


def bury(harness: LettersHarness, task_id: str, tag: str) -> None:
    message = harness.client.hget(keys.RESERVED, tag)
    harness.burial.bury(tag, message, "nobody can read it")


def expire(harness: LettersHarness, task_id: str, _: str) -> None:
    record = replace(harness.ledger.record(task_id), queue_deadline=1.0)
    harness.client.set(keys.record(task_id), record.open_text)
    harness.ledger.expire(record)


@pytest.mark.parametrize("end", [cancel, fail, bury, expire])
def test_every_outcome_lets_go(harness: LettersHarness, end: End) -> None:
    harness.ledger.accept(of("a", most=1))
    ((tag, _),) = harness.take(1)
    end(harness, "a", tag)
    assert harness.ledger.record("a").is_terminal
    assert in_flight(harness) == set()
    harness.ledger.accept(of("b", most=1))


def test_prediction_that_waits_for_the_answer_of_another_is_in_flight(
    harness: LettersHarness,
) -> None:
    reuse = Reuse("same rows", 0)
    for task_id in "ab":
        harness.ledger.accept(of(task_id, reuse=reuse))
    assert in_flight(harness) == {"a", "b"}
    with pytest.raises(InFlightLimited):
        harness.ledger.accept(of("c", reuse=reuse))
    ((tag, _),) = harness.take()
    outcome = harness.ledger.record("a").succeeded([1], RECEIPT)
    harness.ledger.settle("churn:3", [Settled(outcome, tag)])
    assert in_flight(harness) == set()
    harness.ledger.accept(of("d", reuse=reuse))  # it has its answer at once
    assert in_flight(harness) == set()


def test_lines_of_a_bulk_request_are_in_flight_one_by_one(harness: LettersHarness) -> None:
    throttle = Throttle("a-key", Limits(Rate.parse("9/h"), in_flight=3))
    asyncio.run(harness.ledger.accept_all_async([replace(of("a"), throttle=throttle)]))
    assert throttle.use.left[-1].amount == 2
    offers = [replace(of(task_id), throttle=throttle) for task_id in "abcd"]
    *accepted, refused = asyncio.run(harness.ledger.accept_all_async(offers))
    assert accepted == ["a", "b", "c"]
    assert isinstance(refused, InFlightLimited)
    left = [(each.kind, each.amount) for each in throttle.use.left]
    assert left == [("requests", 6), ("in_flight", 0)]


def test_outcome_that_no_script_told_of_is_noticed_at_the_limit(harness: LettersHarness) -> None:
    """As one that a worker of an earlier release has written."""
    for task_id in "ab":
        harness.ledger.accept(of(task_id))
    harness.client.delete(keys.record("a"))
    harness.ledger.accept(of("c"))
    assert in_flight(harness) == {"b", "c"}


def test_purged_prediction_is_in_flight_for_a_day(harness: LettersHarness) -> None:
    for task_id in "ab":
        harness.ledger.accept(of(task_id))
    harness.client.delete("predict")
    with pytest.raises(InFlightLimited):
        harness.ledger.accept(of("c"))
    harness.client.zincrby(HELD, -86_401, "a")
    harness.ledger.accept(of("c"))
    assert in_flight(harness) == {"b", "c"}


def test_full_redis_lets_go(harness: LettersHarness) -> None:
    harness.ledger.accept(of("a"))
    ((tag, _),) = harness.take()
    outcome = harness.ledger.record("a").succeeded([1], RECEIPT)
    with full(harness.client):
        assert harness.ledger.settle("churn:3", [Settled(outcome, tag)]) == 1
    assert in_flight(harness) == set()


def test_nothing_is_noted_without_such_a_limit(harness: LettersHarness) -> None:
    throttle = Throttle("a-key", Limits(Rate.parse("9/h")))
    harness.ledger.accept(replace(offer("a"), throttle=throttle))
    assert not harness.client.exists(keys.IN_FLIGHT, HELD)


def test_prediction_that_will_be_tried_again_is_in_flight(harness: LettersHarness) -> None:
    harness.ledger.accept(of("a", most=1))
    ((tag, _),) = harness.take(1)
    harness.ledger.start([(tag, "a")])
    assert harness.ledger.postpone([(tag, "a")], suspect=False) == ["postponed"]
    with pytest.raises(InFlightLimited):
        harness.ledger.accept(of("b", most=1))
