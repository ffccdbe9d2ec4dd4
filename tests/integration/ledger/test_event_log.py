"""The stream of events in a bare Redis: when it is written, and from where it is read."""

import asyncio
import json
from collections.abc import Coroutine
from itertools import islice
from typing import Any, TypeVar

import pytest

from tasks.events.log import PAGE, EventLog, EventPage
from tasks.ledger import keys
from tasks.ledger.dead_letters.burial import Burial
from tasks.ledger.predictions.settled import Settled
from tasks.wire import encode
from tests.integration.ledger.ledger_harness import GENEROUS, RECEIPT, LedgerHarness, offer

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(asyncio.wait_for(work, 20))


@pytest.fixture
def log(harness: LedgerHarness) -> EventLog:
    return EventLog(harness.ledger)


def settle(harness: LedgerHarness, *ids: str) -> None:
    """Accept and settle predictions as succeeded, in one call of the script."""
    batch = [(task_id, harness.reserve(task_id)[0][0]) for task_id in ids]
    outcomes = []
    for task_id, tag in batch:
        record = harness.ledger.record(task_id)
        assert record is not None
        outcomes.append(Settled(record.succeeded([1], RECEIPT), tag))
    assert harness.ledger.settle("churn:3", outcomes) == len(ids)


def page(log: EventLog, after: str) -> EventPage:
    found = run(log.read(after))
    assert found is not None
    return found


def test_event_log_is_written_only_while_it_is_followed(
    harness: LedgerHarness, log: EventLog
) -> None:
    settle(harness, "a")
    assert not harness.client.exists(keys.EVENTS)
    start = run(log.follow())
    settle(harness, "b", "c")
    found = page(log, start)
    assert [event.id for event in found.events] == ["b", "c"]
    assert {(event.status, event.version) for event in found.events} == {("succeeded", "churn:3")}
    assert found.is_last
    assert page(log, found.position) == EventPage([], found.position, True)


def test_event_log_is_continued_only_where_it_was_not_interrupted(
    harness: LedgerHarness, log: EventLog
) -> None:
    start = run(log.follow())
    settle(harness, "a")
    assert run(log.follow()) == page(log, start).position, "it goes on"
    harness.client.delete(keys.FOLLOWED)
    settle(harness, "b")
    again = run(log.follow())
    assert run(log.read(start)) is None
    assert page(log, again).events == []


def test_event_log_is_read_page_by_page(harness: LedgerHarness, log: EventLog) -> None:
    start = run(log.follow())
    for number in range(PAGE + 5):
        harness.client.xadd(keys.EVENTS, {"id": f"{number}", "status": "failed", "version": "m:1"})
    first = page(log, start)
    rest = page(log, first.position)
    assert (len(first.events), first.is_last) == (PAGE, False)
    assert (len(rest.events), rest.is_last) == (5, True)


def test_event_log_forgets_the_oldest(harness: LedgerHarness, log: EventLog) -> None:
    start = run(log.follow())
    settle(harness, "a")
    harness.client.xtrim(keys.EVENTS, maxlen=1, approximate=False)
    assert run(log.read(start)) is None


@pytest.mark.parametrize("after", ["", "x", "1", "1-", "-", "+", "$", "(1-0", "1-0\n", "9" * 16])
def test_event_log_is_not_read_from_what_is_no_position(log: EventLog, after: str) -> None:
    run(log.follow())
    assert run(log.read(after)) is None


def test_event_log_tells_of_what_was_cancelled(harness: LedgerHarness, log: EventLog) -> None:
    start = run(log.follow())
    record = harness.ledger.record(harness.accept())
    assert record is not None
    harness.ledger.settle("churn:3", [Settled(record.cancelled())])
    (event,) = page(log, start).events
    assert (event.id, event.status) == (record.task_id, "cancelled")


def test_event_log_tells_of_messages_that_cannot_be_read(
    harness: LedgerHarness, log: EventLog
) -> None:
    start = run(log.follow())
    harness.reserve("a")
    for task_id in "ab":
        harness.client.lpush("predict", json.dumps({"headers": {"id": task_id}}))
        ((tag, message),) = harness.reservations.reserve("predict", 1, *GENEROUS)
        Burial(harness.client, harness.settings).bury(tag, message, "no")
    told = [(event.id, event.status, event.version) for event in page(log, start).events]
    assert told == [("a", "failed", "churn:3"), ("b", "failed", "unknown:0")]


def test_event_log_expires_when_it_is_no_longer_followed(
    harness: LedgerHarness, log: EventLog
) -> None:
    run(log.follow())
    assert harness.client.ttl(keys.EVENTS) == harness.client.ttl(keys.FOLLOWED) > 0


def test_outcome_is_published_to_the_process_that_waits_and_to_followers(
    harness: LedgerHarness, log: EventLog
) -> None:
    run(log.follow())
    marked = "0190163d-8694-7800-aea5-966c26f8ad91"
    harness.ledger.accept(offer(marked))
    with harness.client.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(keys.OUTCOMES + "800", keys.EVENTS)
        record = harness.ledger.record(marked)
        assert record is not None
        outcome = record.cancelled()
        harness.ledger.settle("churn:3", [Settled(outcome)])
        told = [*islice(heard.listen(), 2)]
    assert [(m["channel"].decode(), m["data"]) for m in told] == [
        (keys.OUTCOMES + "800", marked.encode() + encode(outcome)),
        (keys.EVENTS, b""),
    ]
