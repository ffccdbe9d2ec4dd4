"""Attempts in the ledger: started, postponed, given up; what waits may expire."""

import msgspec
import pytest

from tasks.ledger import keys
from tasks.ledger.predictions.settlement import Settled
from tasks.record import Record
from tasks.time_limits import BACKOFF, MAX_ATTEMPTS
from tests.integration.ledger.ledger_harness import GENEROUS, PREDICTION, Room, full


def test_starting_counts_attempts_and_shows_the_prediction_running(room: Room) -> None:
    batch = room.reserve("a")

    assert [room.ledger.start(batch), room.ledger.start(batch)] == [[1], [2]]

    running = msgspec.structs.replace(
        Record.queued("a", PREDICTION), status="STARTED", state="running", number=1
    )
    assert room.ledger.record("a") == running


def test_a_prediction_that_has_its_outcome_does_not_start_and_its_message_goes(room: Room) -> None:
    batch = room.reserve("a", "b")
    room.ledger.settle("churn:3", [Settled(room.ledger.record("a").cancelled())])

    assert room.ledger.start(batch) == [0, 1]
    assert room.client.hkeys(keys.RESERVED) == [batch[1][0].encode()]
    assert room.client.hkeys(keys.ATTEMPTS) == [b"b"]


def test_a_reservation_that_was_taken_away_does_not_start(room: Room) -> None:
    """The worker slept longer than the visibility timeout: another has the message now."""
    batch = room.reserve("a")
    room.reservations.release(batch[0][:1])
    assert room.reservations.upkeep([]) == 1

    assert room.ledger.start(batch) == [0]
    assert room.queued() == 1


def test_a_suspect_starts_alone_only(room: Room) -> None:
    batch = room.reserve("a", "b")
    room.ledger.start(batch[:1])  # and its process dies

    assert room.ledger.start(batch) == [-1, 1]
    assert room.ledger.start(batch[:1]) == [2]


def test_a_stock_producers_message_starts_without_a_record(room: Room) -> None:
    room.client.lpush("predict", "whatever")
    ((tag, _),) = room.reservations.reserve("predict", 5, *GENEROUS)

    assert room.ledger.start([(tag, "stock")]) == [1]


def postponed(room, tag: str) -> bytes:
    """The tag that a postponed message has now."""
    (now,) = room.client.hkeys(keys.RESERVED)
    assert now != tag.encode()
    return now


def test_a_postponed_prediction_shows_it_and_goes_back_when_its_time_has_come(room: Room) -> None:
    ((tag, _),) = batch = room.reserve("a")
    room.ledger.start(batch)

    assert room.ledger.postpone(batch, suspect=True) == ["postponed"]

    assert (room.ledger.record("a").state, room.ledger.record("a").status) == ("retrying", "RETRY")
    new = postponed(room, tag)
    assert room.reservations.upkeep([tag]) == 0, "whoever held it cannot keep it"
    delay = room.client.zscore(keys.DUE, new) - room.client.time()[0]
    assert -1 < delay < BACKOFF + 1
    room.client.zadd(keys.DUE, {new: 0})
    assert room.reservations.upkeep([tag]) == 1
    ((again, _),) = room.reservations.reserve("predict", 1, *GENEROUS)
    assert room.ledger.start([(again, "a")]) == [2]
    assert room.ledger.record("a").state == "running"


def test_the_pauses_double_and_end(room: Room) -> None:
    ((tag, _),) = room.reserve("a")
    for attempt in range(1, MAX_ATTEMPTS):
        assert room.ledger.start([(tag, "a")]) == [attempt]
        seconds, parts = room.client.time()
        assert room.ledger.postpone([(tag, "a")], suspect=True) == ["postponed"]
        tag = postponed(room, tag).decode()
        delay = room.client.zscore(keys.DUE, tag) - seconds - parts / 1e6
        assert BACKOFF * 2 ** (attempt - 1) <= delay < BACKOFF * 2 ** (attempt - 1) + 1
    assert room.ledger.start([(tag, "a")]) == [MAX_ATTEMPTS]
    assert room.ledger.postpone([(tag, "a")], suspect=True) == ["last"]
    assert room.ledger.record("a").state == "running"


def test_a_message_whose_process_dies_before_it_starts_comes_to_an_end_too(room: Room) -> None:
    ((tag, _),) = room.reserve("a")
    for _ in range(1, MAX_ATTEMPTS):
        assert room.ledger.postpone([(tag, "a")], suspect=True) == ["postponed"]
        tag = postponed(room, tag).decode()
    assert room.ledger.postpone([(tag, "a")], suspect=True) == ["last"]


@pytest.mark.parametrize(("suspect", "attempts"), [(True, [-1, 1]), (False, [2, 1])])
def test_only_a_suspect_is_started_alone(room: Room, suspect, attempts) -> None:
    ((tag, _),) = first = room.reserve("a")
    room.ledger.start(first)
    room.ledger.postpone(first, suspect=suspect)
    tag = postponed(room, tag).decode()
    other = room.reserve("b")

    assert room.ledger.start([(tag, "a"), *other]) == attempts


def test_what_has_its_outcome_is_not_postponed_and_its_message_goes(room: Room) -> None:
    batch = room.reserve("a")
    room.ledger.start(batch)
    room.ledger.settle("churn:3", [Settled(room.ledger.record("a").cancelled())])

    assert room.ledger.postpone(batch, suspect=True) == ["gone"]
    assert not room.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)
    assert room.ledger.record("a").state == "cancelled"


def test_what_was_taken_away_is_left_to_who_has_it_now(room: Room) -> None:
    ((tag, _),) = batch = room.reserve("a")
    room.reservations.release([tag])
    room.reservations.upkeep([])
    taken = room.reservations.reserve("predict", 1, *GENEROUS)

    assert room.ledger.postpone(batch, suspect=True) == ["gone"]
    assert [tag.encode() for tag, _ in taken] == room.client.hkeys(keys.RESERVED)


def test_what_is_cancelled_while_it_waits_for_another_try_is_not_started(room: Room) -> None:
    ((tag, _),) = batch = room.reserve("a")
    room.ledger.start(batch)
    room.ledger.postpone(batch, suspect=True)
    assert room.ledger.settle("churn:3", [Settled(room.ledger.record("a").cancelled())]) == 1

    assert room.ledger.start([(postponed(room, tag).decode(), "a")]) == [0]
    assert not room.client.exists(keys.RESERVED, keys.DUE, keys.ATTEMPTS)


@pytest.mark.parametrize("state", ["queued", "running", "retrying", "cancelled"])
def test_only_what_waits_can_expire(room: Room, state) -> None:
    batch = room.reserve("a")
    if state != "queued":
        room.ledger.start(batch)
    if state == "retrying":
        room.ledger.postpone(batch, suspect=False)
    if state == "cancelled":
        room.ledger.settle("churn:3", [Settled(room.ledger.record("a").cancelled())])

    room.ledger.expire(Record.queued("a", PREDICTION))

    waits = state in ("queued", "retrying")
    assert room.ledger.record("a").state == ("expired" if waits else state)
    assert room.client.hexists(keys.ATTEMPTS, "a") == (state == "running")


def test_what_a_worker_gives_back_at_its_end_waits_again_and_may_expire(room: Room) -> None:
    """Perhaps no other worker lives, and then a look-up alone can end it."""
    begun, settled = room.reserve("a", "b")
    room.ledger.start([begun, settled])
    room.ledger.settle("churn:3", [Settled(room.ledger.record("b").cancelled(), settled[0])])

    room.reservations.withdraw([begun, settled])

    assert room.reservations.upkeep([]) == 1
    assert room.ledger.record("b").state == "cancelled"
    assert (room.ledger.record("a").state, room.ledger.record("a").status) == ("queued", "PENDING")
    assert not room.client.exists(keys.ATTEMPTS)
    room.ledger.expire(room.ledger.record("a"))
    assert room.ledger.record("a").state == "expired"


def test_a_full_redis_lets_workers_postpone(room: Room) -> None:
    batch = room.reserve("a")
    room.ledger.start(batch)
    with full(room.client):
        assert room.ledger.postpone(batch, suspect=True) == ["postponed"]
    assert room.ledger.record("a").state == "retrying"
