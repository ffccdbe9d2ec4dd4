"""Probes: one message is let through, and its outcome decides whether a pause ends."""

import json
import time

import pytest
import redis

from tasks.ledger import keys
from tasks.ledger.predictions.settlement import Settled
from tasks.record import Record
from tasks.wire import encode
from telemetry.errors import ModelError, VersionPaused, WorkerLost
from tests.integration.ledger.ledger_harness import PREDICTION, RECEIPT, full, message
from tests.integration.ledger.pauses.pause_harness import DAMAGED, LONG_AGO, PausingRoom
from tests.support.stack import until


@pytest.fixture
def room(client: redis.Redis) -> PausingRoom:
    return PausingRoom(client)


def test_a_submission_is_the_probe_where_nothing_is_parked(room: PausingRoom) -> None:
    room.open()

    probe = room.probe()

    with pytest.raises(VersionPaused):  # one at a time
        room.accept()
    room.succeed([probe])
    assert not room.paused()
    assert room.accept()


@pytest.fixture
def parked(room: PausingRoom) -> list[str]:
    """Ids that are parked, since the version failed after they were queued."""
    guilty = [room.accept() for _ in range(3)]
    waiting = [room.accept() for _ in range(4)]
    assert room.fail(room.take(3)) == len(guilty)
    assert room.paused()
    assert room.taken() == []
    assert room.parked() == waiting
    return waiting


def next_probe(room: PausingRoom) -> tuple[str, str]:
    """What the upkeep of any worker lets through."""
    until(lambda: room.reservations.upkeep([]) or room.client.llen("predict"), "a probe", 5)
    (probe,) = room.take()
    return probe


def test_the_oldest_parked_message_is_the_probe(room: PausingRoom, parked: list[str]) -> None:
    probe = next_probe(room)

    assert probe[1] == parked[0]
    assert room.parked() == parked[1:]
    with pytest.raises(VersionPaused):
        room.accept()
    room.succeed([probe])
    assert not room.paused()
    assert room.taken() == parked[1:]


def test_each_failure_of_a_probe_doubles_the_wait(room: PausingRoom, parked: list[str]) -> None:
    waits = []
    for expected in parked:
        probe = next_probe(room)
        assert probe[1] == expected
        before = time.time()
        room.fail([probe])
        waits.append(room.paused().probe_at - before)
        assert "the probe failed" in room.paused().reason
    assert waits == pytest.approx([0.4, 0.8, 1.6, 3.2], abs=0.1)


def test_the_wait_has_a_bound(client: redis.Redis) -> None:
    room = PausingRoom(client, probe_after=200)
    room.open()
    entry = json.loads(client.hget(keys.PAUSED, "churn:3"))
    client.hset(keys.PAUSED, "churn:3", json.dumps(entry | {"probe_at": 1}))
    room.fail([room.probe()])
    assert room.paused().probe_at - time.time() == pytest.approx(300, abs=5)


def test_an_error_of_the_model_shows_that_it_computes(room: PausingRoom, parked: list[str]) -> None:
    room.fail([next_probe(room)], ModelError("no"))
    assert not room.paused()


def test_a_cancelled_probe_says_nothing_and_another_goes(
    room: PausingRoom, parked: list[str]
) -> None:
    tag, task_id = next_probe(room)
    room.settle([Settled(room.ledger.record(task_id).cancelled(), tag)])
    assert room.paused()
    assert next_probe(room)[1] == parked[1]


def test_what_was_cancelled_while_it_was_parked_is_no_probe(
    room: PausingRoom, parked: list[str]
) -> None:
    room.settle([Settled(room.ledger.record(parked[0]).cancelled())])
    assert next_probe(room)[1] == parked[1]


def test_what_was_cancelled_and_forgotten_while_it_was_parked_is_no_probe(
    room: PausingRoom,
) -> None:
    ids = [room.accept() for _ in range(3)] + [room.accept(LONG_AGO), room.accept()]
    room.fail(room.take(3))
    assert room.taken() == []
    assert room.parked() == ids[3:]
    room.forget(LONG_AGO)
    assert next_probe(room)[1] == ids[4]


def test_a_probe_is_looked_for_among_so_many_at_a_time(room: PausingRoom) -> None:
    """All of Redis waits for a look."""
    room.pauses.pause("churn:3", "a test")
    over = Record.queued("over", PREDICTION).cancelled()
    room.client.set(keys.record("over"), encode(over))
    room.client.rpush(keys.PARKED + "churn:3", message("alive"), *[message("over")] * 1500)
    entry = {
        "trigger": "failures",
        "code": "x",
        "reason": "x",
        "since": 0,
        "wait": 1,
        "probe_at": 1,
    }
    room.client.hset(keys.PAUSED, "churn:3", json.dumps(entry))

    room.reservations.upkeep([])
    assert room.client.llen(keys.PARKED + "churn:3") == 501
    room.reservations.upkeep([])
    assert room.taken() == ["alive"]


def test_another_probe_goes_where_one_was_lost(room: PausingRoom, parked: list[str]) -> None:
    next_probe(room)
    entry = json.loads(room.client.hget(keys.PAUSED, "churn:3"))
    assert entry["probe_at"] - time.time() == pytest.approx(60, abs=5)
    room.client.hset(keys.PAUSED, "churn:3", json.dumps(entry | {"probe_at": 1}))
    assert next_probe(room)[1] == parked[1]


def test_a_probe_of_a_dead_worker_is_still_the_probe(room: PausingRoom, parked: list[str]) -> None:
    tag, task_id = next_probe(room)
    room.reservations.release([tag])
    assert next_probe(room)[1] == task_id


def test_only_the_probe_decides(room: PausingRoom) -> None:
    early = [room.accept() for _ in range(2)]
    batch = room.take()
    room.open()
    room.succeed(batch)
    assert {room.ledger.record(task_id).state for task_id in early} == {"succeeded"}
    assert room.paused()


def test_what_fails_after_the_pause_began_waits_with_the_others(room: PausingRoom) -> None:
    """A batch as large as can be costs no more than the limit."""
    ids = [room.accept() for _ in range(10)]

    assert room.fail(room.take()) == 3

    states = [room.ledger.record(task_id).state for task_id in ids]
    assert states == ["failed"] * 3 + ["queued"] * 7
    assert room.parked() == ids[3:]
    assert room.client.hlen(keys.DEAD_LETTERS) == 3
    assert room.ledger.depths(("predict",)) == ({"predict": 0}, 0)
    room.succeed([next_probe(room)])
    assert room.taken() == ids[4:]


def test_what_has_used_up_its_attempts_fails_all_the_same(room: PausingRoom) -> None:
    for _ in range(10):
        room.accept()
    assert room.fail(room.take(), WorkerLost()) == 10


def test_a_version_that_is_soon_paused_again_waits_longer(room: PausingRoom) -> None:
    room.open()
    room.succeed([room.probe()])
    room.open()
    assert room.paused().probe_at - time.time() == pytest.approx(0.4, abs=0.1)


def test_a_full_redis_lets_a_pause_end(room: PausingRoom, parked: list[str]) -> None:
    probe = next_probe(room)
    with full(room.client):
        room.succeed([probe])
    assert room.taken() == parked[1:]


def test_what_fails_beside_a_probe_that_succeeds_does_not_wait_for_ever(room: PausingRoom) -> None:
    """The first finds the registry away, and the probe, next in the batch, finds it there."""
    ids = [room.accept() for _ in range(6)]
    *guilty, held = room.take(4)
    assert room.fail(guilty) == 3
    assert room.taken() == []
    assert room.parked() == ids[4:]
    probe = next_probe(room)
    failed = room.ledger.record(held[1]).failed(DAMAGED)
    succeeded = room.ledger.record(probe[1]).succeeded([7], RECEIPT)

    assert room.settle([Settled(failed, held[0], 4), Settled(succeeded, probe[0])]) == 1

    assert not room.paused()
    assert not room.client.exists(keys.PARKED + "churn:3")
    assert room.client.hmget("predictq:queued:predict", "rows", "taken") == [b"2", b"4"]
    assert room.taken() == [held[1], ids[5]]
