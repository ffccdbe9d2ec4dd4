"""A lone message is handed over to an idle worker by the script that accepts it."""

import json
from collections.abc import Iterator

import msgspec
import pytest
import redis
from redis.client import PubSub

from tasks.ledger import keys
from tasks.ledger.queue.workers import Workers
from tests.integration.ledger.ledger_harness import PREDICTION, LedgerHarness, full, offer
from tests.support.stack import until

WORKER = "host:1"
HELD = " iris:1 churn:3 "


@pytest.fixture
def channel(client: redis.Redis) -> Iterator[PubSub]:
    """The subscription of a worker that lives and is idle."""
    Workers(client).heartbeat(WORKER, {})
    with client.pubsub() as channel:
        channel.subscribe(keys.HANDED + WORKER)
        until(lambda: channel.get_message() is not None, "it is subscribed")
        yield channel


@pytest.fixture
def idle(harness: LedgerHarness, channel: PubSub) -> PubSub:
    harness.reservations.note_idle("predict", WORKER, HELD)
    return channel


def heard(channel: PubSub) -> list[tuple[str, str]]:
    """Tag and id of each message that was handed over."""
    found = []
    while event := channel.get_message(timeout=0.05):
        tag, _, message = event["data"].partition(b" ")
        found.append((tag.decode(), json.loads(message)["headers"]["id"]))
    return found


def test_lone_message_is_reserved_started_and_sent_to_an_idle_worker(
    harness: LedgerHarness, idle: PubSub
) -> None:
    harness.accept("a")

    assert heard(idle) == [("predict:1", "a")]
    assert harness.queued() == 0
    assert harness.ledger.record("a").state == "running"
    assert harness.client.hkeys(keys.RESERVED) == [b"predict:1"]
    assert harness.client.zscore(keys.DUE, "predict:1") > harness.client.time()[0]
    assert harness.client.hgetall(keys.ATTEMPTS) == {b"a": b"1"}


def test_worker_gets_one_message_until_it_is_idle_again(
    harness: LedgerHarness, idle: PubSub
) -> None:
    for task_id in ("a", "b"):
        harness.accept(task_id)
    assert [task_id for _, task_id in heard(idle)] == ["a"]
    assert [task_id for _, task_id in harness.take()] == ["b"]

    harness.reservations.note_idle("predict", WORKER, HELD)
    harness.accept("c")
    assert heard(idle) == [("predict:3", "c")]


def test_message_that_is_sent_twice_is_handed_over_once(
    harness: LedgerHarness, idle: PubSub
) -> None:
    assert harness.accept("a") == harness.accept("a") == "a"
    assert len(heard(idle)) == 1
    assert harness.queued() == 0


def test_message_keeps_its_turn_behind_others(harness: LedgerHarness, channel: PubSub) -> None:
    harness.accept("a")
    harness.reservations.note_idle("predict", WORKER, HELD)
    harness.accept("b")

    assert heard(channel) == []
    assert [task_id for _, task_id in harness.take()] == ["a", "b"]


def test_dead_worker_is_passed_over(harness: LedgerHarness, idle: PubSub) -> None:
    idle.unsubscribe()
    until(lambda: idle.get_message() is not None, "it has left")

    harness.accept("a")

    assert harness.queued() == 1
    assert harness.ledger.record("a").state == "queued"
    assert not harness.client.exists(keys.IDLE + "predict", keys.RESERVED, keys.ATTEMPTS)


def test_silent_worker_is_passed_over(harness: LedgerHarness, idle: PubSub) -> None:
    harness.client.zadd(keys.WORKERS_SEEN, {WORKER: harness.client.time()[0] - 7})
    harness.accept("a")
    assert (heard(idle), harness.queued()) == ([], 1)


def test_version_that_the_worker_does_not_hold_waits_on_the_queue(
    harness: LedgerHarness, idle: PubSub
) -> None:
    harness.accept("a", model="churn", version=30)
    assert (heard(idle), harness.queued()) == ([], 1)


def test_message_with_a_queue_deadline_waits_on_the_queue(
    harness: LedgerHarness, idle: PubSub
) -> None:
    clocked = msgspec.structs.replace(PREDICTION, queue_deadline=4e9)
    harness.ledger.accept(offer("a", clocked))
    assert (heard(idle), harness.queued()) == ([], 1)


def test_what_does_not_fit_is_refused_and_not_handed_over(
    harness: LedgerHarness, idle: PubSub
) -> None:
    tight = LedgerHarness(harness.client, max_queued=0)
    with pytest.raises(Exception, match="full"):
        tight.accept("a")
    assert heard(idle) == []


def test_full_redis_hands_nothing_over(harness: LedgerHarness, idle: PubSub) -> None:
    with full(harness.client), pytest.raises(redis.ResponseError, match="OOM"):
        harness.accept("a")
    assert heard(idle) == []
    assert harness.client.hexists(keys.IDLE + "predict", WORKER)


def test_full_redis_keeps_no_worker_from_going_on(harness: LedgerHarness) -> None:
    with full(harness.client):
        harness.reservations.note_idle("predict", WORKER, HELD)
    assert not harness.client.exists(keys.IDLE + "predict")


def test_idle_workers_are_not_in_the_log(harness: LedgerHarness) -> None:
    """To sync it would delay the next prediction."""

    def logged() -> int:
        return int(harness.client.info("persistence")["aof_current_size"])

    def note() -> None:
        harness.reservations.note_idle("predict", WORKER, HELD)
        harness.reservations.reserve("predict", 9, 99, 10**6, WORKER, f"{HELD}other:1 ")

    note()  # Redis 6 logs the text of scripts
    harness.client.config_set("appendonly", "yes")
    try:
        until(lambda: not harness.client.info("persistence")["aof_rewrite_in_progress"], "its log")
        before = logged()
        note()
        assert logged() == before
        assert harness.client.hget(keys.IDLE + "predict", WORKER) == f"{HELD}other:1 ".encode()
        harness.client.set("anything", 1)
        assert logged() > before
    finally:
        harness.client.config_set("appendonly", "no")


def test_reservation_says_whether_the_worker_is_idle(harness: LedgerHarness) -> None:
    def reserve() -> int:
        return len(harness.reservations.reserve("predict", 9, 99, 10**6, WORKER, HELD))

    assert reserve() == 0
    assert harness.client.hgetall(keys.IDLE + "predict") == {WORKER.encode(): HELD.encode()}
    with full(harness.client):
        harness.client.delete(keys.IDLE + "predict")
        assert reserve() == 0, "a full Redis does not keep a worker from looking"
    reserve()
    harness.client.lpush("predict", b"{}")
    assert reserve() == 1
    assert not harness.client.exists(keys.IDLE + "predict")


def test_handed_over_message_that_comes_back_is_a_further_attempt(
    harness: LedgerHarness, idle: PubSub
) -> None:
    """Its worker died, so perhaps it is to blame, and runs alone."""
    harness.accept("a")
    (held,) = heard(idle)
    harness.reservations.release([held[0]])
    assert harness.reservations.upkeep(()) == 1

    assert harness.ledger.start(harness.take()) == [2]


def test_handed_over_message_that_is_given_back_has_not_started(
    harness: LedgerHarness, idle: PubSub
) -> None:
    harness.accept("a")
    harness.reservations.withdraw(heard(idle), alone=False)
    assert harness.reservations.upkeep(()) == 1

    assert harness.ledger.record("a").state == "queued"
    assert harness.ledger.start(harness.take()) == [1]
