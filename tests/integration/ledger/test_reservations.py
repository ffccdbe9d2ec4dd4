"""Reservations on a real Redis: taken in one step, kept, returned."""

import msgspec
import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.queue.reservations import PRIORITIES, Reservations
from tasks.ledger.queue.workers import Workers
from tests.integration.ledger.ledger_harness import GENEROUS, PREDICTION, full, message


@pytest.fixture
def reservations(client: redis.Redis) -> Reservations:
    return Reservations(client, 30, 60)


def push(client: redis.Redis, *rows: int) -> list[bytes]:
    """Push a message for each number of rows; return them, the oldest first."""
    messages = [
        message(f"{number}", msgspec.structs.replace(PREDICTION, features=[[0.5]] * count))
        for number, count in enumerate(rows)
    ]
    client.lpush("predict", *messages)
    return messages


def test_reservations_take_the_oldest_first_under_distinct_tags(client, reservations) -> None:
    messages = push(client, 1, 1, 1)

    first = reservations.reserve("predict", 2, *GENEROUS)
    rest = reservations.reserve("predict", 2, *GENEROUS)

    assert [message for _, message in first + rest] == messages
    assert len({tag for tag, _ in first + rest}) == 3
    assert client.hgetall(keys.RESERVED) == {t.encode(): m for t, m in first + rest}
    assert client.zcard(keys.DUE) == 3


def test_reservations_of_the_same_message_twice_are_two(client, reservations) -> None:
    client.lpush("predict", "same", "same")

    taken = reservations.reserve("predict", 5, *GENEROUS)

    assert [message for _, message in taken] == [b"same", b"same"]
    assert client.hlen(keys.RESERVED) == 2


@pytest.mark.parametrize(
    ("rows", "bound", "taken"),
    [((3, 3, 3), 6, 2), ((9, 1), 6, 1), ((3, 3, 3, 3), 6, 2), ((1, 9), 6, 1), ((3, 3), 7, 2)],
)
def test_reservations_are_bounded_by_rows_after_the_first_message(
    client, reservations, rows, bound, taken
) -> None:
    messages = push(client, *rows)

    found = reservations.reserve("predict", 10, bound, 10**6)

    assert [message for _, message in found] == messages[:taken]
    assert client.lrange("predict", 0, -1)[::-1] == messages[taken:], "the rest, in its order"


def test_reservations_are_bounded_by_bytes(client, reservations) -> None:
    messages = push(client, 1, 1, 1)
    size = len(messages[0])

    assert len(reservations.reserve("predict", 10, 100, 2 * size)) == 2
    assert len(reservations.reserve("predict", 10, 100, 1)) == 1


def test_reservations_from_an_empty_queue_change_nothing(client, reservations) -> None:
    assert reservations.reserve("predict", 10, *GENEROUS) == []
    assert client.keys("*") == []


def test_overdue_reservation_returns_to_the_queue(client, reservations) -> None:
    messages = push(client, 1, 1, 1)
    impatient = Reservations(client, 0, 60)  # due at once
    (kept, _), *_ = impatient.reserve("predict", 3, *GENEROUS)

    assert reservations.upkeep([kept]) == 2

    assert client.hkeys(keys.RESERVED) == [kept.encode()]
    assert client.lrange("predict", 0, -1)[::-1] == messages[1:], "the oldest is consumed first"
    assert reservations.upkeep([kept]) == 0


def test_deferred_message_returns_at_its_time(client, reservations) -> None:
    push(client, 1, 1)
    (late, _), (due, _) = reservations.reserve("predict", 2, *GENEROUS)
    now = client.time()[0]

    reservations.defer(late, now + 3600)
    reservations.defer(due, now - 1)
    reservations.defer("nobody's", now - 1)

    assert reservations.upkeep([]) == 1
    assert client.hkeys(keys.RESERVED) == [late.encode()]


def test_returned_message_counts_as_queued_again(client, reservations) -> None:
    messages = push(client, 4)
    client.hset(keys.QUEUED + "predict", mapping={"rows": 4, "bytes": len(messages[0])})
    ((tag, _),) = reservations.reserve("predict", 1, *GENEROUS)
    counts = keys.QUEUED + "predict"
    assert client.hmget(counts, "rows", "bytes") == [b"0", b"0"]

    reservations.release([tag])
    reservations.upkeep([])

    assert client.hmget(counts, "rows", "bytes") == [b"4", str(len(messages[0])).encode()]


def test_lost_reservation_cannot_be_kept(client, reservations) -> None:
    push(client, 1)
    ((tag, _),) = reservations.reserve("predict", 1, *GENEROUS)
    reservations.release([tag])
    reservations.upkeep([])

    assert reservations.upkeep([tag]) == 0
    assert client.zcard(keys.DUE) == 0


def test_full_redis_lets_workers_reserve_and_renew(client, reservations) -> None:
    """Hazard 2: on a full Redis, each restart lost a message."""
    messages = push(client, 1, 1)
    with full(client):
        taken = reservations.reserve("predict", 2, *GENEROUS)
        assert [message for _, message in taken] == messages
        before = dict(client.zscan_iter(keys.DUE))
        assert reservations.upkeep(tag for tag, _ in taken) == 0
        assert all(client.zscore(keys.DUE, tag) > due for tag, due in before.items())
    assert client.hlen(keys.RESERVED) == client.zcard(keys.DUE) == 2


def test_full_redis_lets_a_message_with_priority_return(client, reservations) -> None:
    for priority in PRIORITIES:
        client.lpush("predict" + priority, f"of{priority}")
    with full(client):
        reservations.upkeep([], "predict")
    assert client.lrange("predict", 0, -1) == [f"of{p}".encode() for p in reversed(PRIORITIES)]


def test_full_redis_lets_workers_send_heartbeats(client) -> None:
    with full(client):
        Workers(client).heartbeat("one", {"name": "one"})
    assert Workers(client).alive() == [{"name": "one"}]


def test_worker_counts_from_its_heartbeat_to_its_farewell(client) -> None:
    workers = Workers(client)
    workers.heartbeat("host:1", {"name": "one"})
    workers.heartbeat("host:2", {"name": "two"})

    assert workers.alive() == [{"name": "one"}, {"name": "two"}]
    workers.farewell("host:1")
    assert workers.alive() == [{"name": "two"}]
    assert client.hkeys(keys.WORKERS) == [b"host:2"]


def test_worker_without_heartbeats_does_not_count_and_is_forgotten(client) -> None:
    workers = Workers(client)
    workers.heartbeat("gone", {"name": "gone"})
    client.zadd(keys.WORKERS_SEEN, {"gone": 1})

    assert workers.alive() == []
    workers.heartbeat("here", {"name": "here"})
    assert client.hkeys(keys.WORKERS) == [b"here"]
    assert client.zrange(keys.WORKERS_SEEN, 0, -1) == [b"here"]


@pytest.mark.parametrize("ending", ["", ',"batch":"m:1 predict"}}'])
def test_message_with_uncountable_rows_does_not_block_the_queue(
    client, reservations, ending: str
) -> None:
    """One such message must not make the script fail for every worker."""
    poison = b'{"headers":{"rows":' + b"9" * 26 + ending.encode()
    client.lpush("predict", poison)
    messages = [poison, *push(client, 1)]
    taken = reservations.reserve("predict", 2, *GENEROUS)
    assert [message for _, message in taken] == messages
    reservations.release(tag for tag, _ in taken)
    assert reservations.upkeep([]) == 2
    assert sorted(client.lrange("predict", 0, -1)) == sorted(messages)


def test_messages_with_priorities_move_in_steps(client, reservations) -> None:
    first, second = ("predict" + priority for priority in PRIORITIES[:2])
    client.lpush(first, *range(600))
    client.lpush(second, *range(600))
    reservations.upkeep([], "predict")
    assert client.llen("predict") == 1000
    reservations.upkeep([], "predict")
    assert client.llen("predict") == 1200
