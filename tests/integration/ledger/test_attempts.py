"""Attempts in the ledger: start, postpone, withdraw and expire."""

import msgspec
import pytest

from tasks.ledger import keys
from tasks.ledger.predictions.attempts import NotStarted
from tasks.ledger.predictions.settled import Settled
from tasks.record import Record
from tasks.time_limits import BACKOFF, MAX_ATTEMPTS
from tests.integration.ledger.ledger_harness import GENEROUS, PREDICTION, LedgerHarness, full


def test_starting_counts_attempts_and_shows_the_prediction_running(harness: LedgerHarness) -> None:
    batch = harness.reserve("a")

    assert [harness.ledger.start(batch), harness.ledger.start(batch)] == [[1], [2]]

    running = msgspec.structs.replace(
        Record.queued("a", PREDICTION), status="STARTED", state="running", number=1
    )
    assert harness.ledger.record("a") == running


def test_settled_prediction_does_not_start_and_its_message_is_removed(
    harness: LedgerHarness,
) -> None:
    batch = harness.reserve("a", "b")
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").cancelled())])

    assert harness.ledger.start(batch) == [NotStarted.DONE, 1]
    assert harness.client.hkeys(keys.RESERVED) == [batch[1][0].encode()]
    assert harness.client.hkeys(keys.ATTEMPTS) == [b"b"]


def test_lost_reservation_does_not_start(harness: LedgerHarness) -> None:
    """The worker slept longer than the visibility timeout: another worker has the message now."""
    batch = harness.reserve("a")
    harness.reservations.release(batch[0][:1])
    assert harness.reservations.upkeep([]) == 1

    assert harness.ledger.start(batch) == [NotStarted.DONE]
    assert harness.queued() == 1


def test_suspect_starts_alone_only(harness: LedgerHarness) -> None:
    batch = harness.reserve("a", "b")
    harness.ledger.start(batch[:1])  # and its process dies

    assert harness.ledger.start(batch) == [NotStarted.SUSPECT, 1]
    assert harness.ledger.start(batch[:1]) == [2]


def test_stock_producers_message_starts_without_a_record(harness: LedgerHarness) -> None:
    harness.client.lpush("predict", "whatever")
    ((tag, _),) = harness.reservations.reserve("predict", 5, *GENEROUS)

    assert harness.ledger.start([(tag, "stock")]) == [1]


def postponed(harness, tag: str) -> bytes:
    """The new tag of a postponed message."""
    (now,) = harness.client.hkeys(keys.RESERVED)
    assert now != tag.encode()
    return now


def test_postponed_prediction_is_retrying_until_it_returns(
    harness: LedgerHarness,
) -> None:
    ((tag, _),) = batch = harness.reserve("a")
    harness.ledger.start(batch)

    assert harness.ledger.postpone(batch, suspect=True) == ["postponed"]

    assert (harness.ledger.record("a").state, harness.ledger.record("a").status) == (
        "retrying",
        "RETRY",
    )
    new = postponed(harness, tag)
    assert harness.reservations.upkeep([tag]) == 0, "its former holder cannot renew it"
    delay = harness.client.zscore(keys.DUE, new) - harness.client.time()[0]
    assert -1 < delay < BACKOFF + 1
    harness.client.zadd(keys.DUE, {new: 0})
    assert harness.reservations.upkeep([tag]) == 1
    ((again, _),) = harness.reservations.reserve("predict", 1, *GENEROUS)
    assert harness.ledger.start([(again, "a")]) == [2]
    assert harness.ledger.record("a").state == "running"


def test_delays_of_retries_double_and_end(harness: LedgerHarness) -> None:
    ((tag, _),) = harness.reserve("a")
    for attempt in range(1, MAX_ATTEMPTS):
        assert harness.ledger.start([(tag, "a")]) == [attempt]
        seconds, parts = harness.client.time()
        assert harness.ledger.postpone([(tag, "a")], suspect=True) == ["postponed"]
        tag = postponed(harness, tag).decode()
        delay = harness.client.zscore(keys.DUE, tag) - seconds - parts / 1e6
        assert BACKOFF * 2 ** (attempt - 1) <= delay < BACKOFF * 2 ** (attempt - 1) + 1
    assert harness.ledger.start([(tag, "a")]) == [MAX_ATTEMPTS]
    assert harness.ledger.postpone([(tag, "a")], suspect=True) == ["last"]
    assert harness.ledger.record("a").state == "running"


def test_postponed_message_that_dies_before_its_start_is_charged(harness: LedgerHarness) -> None:
    ((tag, _),) = harness.reserve("a")
    for _ in range(1, MAX_ATTEMPTS):
        assert harness.ledger.postpone([(tag, "a")], suspect=True) == ["postponed"]
        tag = postponed(harness, tag).decode()
    assert harness.ledger.postpone([(tag, "a")], suspect=True) == ["last"]


@pytest.mark.parametrize(
    ("suspect", "attempts"), [(True, [NotStarted.SUSPECT, 1]), (False, [2, 1])]
)
def test_suspect_alone_is_started_alone(harness: LedgerHarness, suspect, attempts) -> None:
    ((tag, _),) = first = harness.reserve("a")
    harness.ledger.start(first)
    harness.ledger.postpone(first, suspect=suspect)
    tag = postponed(harness, tag).decode()
    other = harness.reserve("b")

    assert harness.ledger.start([(tag, "a"), *other]) == attempts


def test_postpone_removes_the_message_of_a_settled_prediction(harness: LedgerHarness) -> None:
    batch = harness.reserve("a")
    harness.ledger.start(batch)
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").cancelled())])

    assert harness.ledger.postpone(batch, suspect=True) == ["gone"]
    assert not harness.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    assert harness.ledger.record("a").state == "cancelled"


def test_postpone_leaves_a_lost_reservation_alone(harness: LedgerHarness) -> None:
    ((tag, _),) = batch = harness.reserve("a")
    harness.reservations.release([tag])
    harness.reservations.upkeep([])
    taken = harness.reservations.reserve("predict", 1, *GENEROUS)

    assert harness.ledger.postpone(batch, suspect=True) == ["gone"]
    assert [tag.encode() for tag, _ in taken] == harness.client.hkeys(keys.RESERVED)


def test_postponed_prediction_that_is_cancelled_is_not_started(harness: LedgerHarness) -> None:
    ((tag, _),) = batch = harness.reserve("a")
    harness.ledger.start(batch)
    harness.ledger.postpone(batch, suspect=True)
    assert harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").cancelled())]) == 1

    assert harness.ledger.start([(postponed(harness, tag).decode(), "a")]) == [NotStarted.DONE]
    assert not harness.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)


@pytest.mark.parametrize("state", ["queued", "running", "retrying", "cancelled"])
def test_expiry_needs_a_waiting_prediction(harness: LedgerHarness, state) -> None:
    batch = harness.reserve("a")
    if state != "queued":
        harness.ledger.start(batch)
    if state == "retrying":
        harness.ledger.postpone(batch, suspect=False)
    if state == "cancelled":
        harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").cancelled())])

    harness.ledger.expire(Record.queued("a", PREDICTION))

    waits = state in ("queued", "retrying")
    assert harness.ledger.record("a").state == ("expired" if waits else state)
    assert harness.client.hexists(keys.ATTEMPTS, "a") == (state == "running")


def test_withdrawn_prediction_is_queued_again_and_may_expire(harness: LedgerHarness) -> None:
    """If no other worker lives, only a look-up can expire it."""
    begun, settled = harness.reserve("a", "b")
    harness.ledger.start([begun, settled])
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("b").cancelled(), settled[0])])

    harness.reservations.withdraw([begun, settled], alone=False)

    assert harness.reservations.upkeep([]) == 1
    assert harness.ledger.record("b").state == "cancelled"
    assert (harness.ledger.record("a").state, harness.ledger.record("a").status) == (
        "queued",
        "PENDING",
    )
    assert not harness.client.exists(keys.ATTEMPTS)
    harness.ledger.expire(harness.ledger.record("a"))
    assert harness.ledger.record("a").state == "expired"


def test_full_redis_lets_workers_postpone(harness: LedgerHarness) -> None:
    batch = harness.reserve("a")
    harness.ledger.start(batch)
    with full(harness.client):
        assert harness.ledger.postpone(batch, suspect=True) == ["postponed"]
    assert harness.ledger.record("a").state == "retrying"


def test_prediction_does_not_start_after_its_queue_deadline(harness: LedgerHarness) -> None:
    batch, now = harness.reserve("a", "b", "c"), harness.ledger.now()

    answers = harness.ledger.start(batch, [now + 60, now - 1, None])

    assert answers == [1, NotStarted.LATE, 1]
    assert harness.ledger.record("b").state == "queued"


def test_repeated_start_counts_no_attempt_twice(harness: LedgerHarness) -> None:
    """Its answer was lost, so the caller does not know whether it was counted."""
    ((tag, _),) = batch = harness.reserve("a")
    assert harness.ledger.start(batch, again=True) == [1]
    assert harness.ledger.start(batch) == [2]
    assert harness.ledger.start(batch, again=True) == [2]
    harness.ledger.postpone(batch, suspect=True)
    new = postponed(harness, tag).decode()
    assert harness.ledger.start([(new, "a")], again=True) == [3]


def test_withdrawing_keeps_an_outcome_that_was_written_meanwhile(harness: LedgerHarness) -> None:
    batch = harness.reserve("a")
    harness.ledger.start(batch)
    harness.ledger.settle("churn:3", [Settled(harness.ledger.record("a").cancelled())])
    harness.reservations.withdraw(batch, alone=False)
    assert harness.ledger.record("a").state == "cancelled"
