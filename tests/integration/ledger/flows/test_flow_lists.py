"""No message is stranded on the list of a flow, and what waits there counts like any other."""

import json
import time

import pytest
import redis
from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.listing import OpenIds
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.ledger.queue.reservations import Reservations
from tests.integration.ledger.dead_letters.dead_letter_harness import LettersHarness
from tests.integration.ledger.flows.flow_harness import (
    COUNTS,
    QUEUE,
    FlowHarness,
    flow_list,
    of,
)
from tests.integration.ledger.ledger_harness import GENEROUS, full

A, B = "a:1", "b:1"


def take_as_an_earlier_release(flows: FlowHarness) -> list[str]:
    """All that such a worker sees: it knows the list of the queue alone."""
    found = iter(lambda: flows.client.rpop(QUEUE), None)
    return [json.loads(text)["headers"]["id"] for text in found]


def test_flows_wait_for_a_worker_that_takes_from_them(client: redis.Redis) -> None:
    flows = FlowHarness(client, fair=False)
    flows.submit(A, 3)
    assert flows.lists() == {"": 3}
    assert len(flows.taken(1)) == 1
    flows.submit(A, 3)
    assert flows.lists() == {"": 2, A: 3}


def test_worker_of_an_earlier_release_gets_what_waits_in_flows(flows: FlowHarness) -> None:
    ids = flows.submit(A, 150)
    seen = take_as_an_earlier_release(flows)
    assert seen == ids[:1]
    flows.reservations.upkeep([], QUEUE)
    seen += take_as_an_earlier_release(flows)
    assert seen == ids[:101]
    ids += flows.submit(B)
    seen += take_as_an_earlier_release(flows)
    assert sorted(seen) == sorted(ids)
    assert flows.lists() == {"": 0}


def test_queue_is_never_empty_while_a_flow_waits(flows: FlowHarness) -> None:
    """Idle workers are woken by the list of the queue alone."""
    flows.submit(A, 5)
    for left in 4, 3, 2, 1:
        assert len(flows.taken(1)) == 1
        assert flows.client.llen(QUEUE) == 1
        assert flows.queued() == left
    assert len(flows.taken()) == 1
    flows.submit(A)
    assert flows.lists() == {"": 1}
    flows.submit(A, 3)
    flows.reservations.upkeep([], QUEUE)
    assert flows.lists() == {"": 1, A: 3}, "what need not be moved stays in its flow"


def test_purge_of_the_queue_leaves_flows_to_be_drained(flows: FlowHarness) -> None:
    flows.submit("", 5)
    rest = flows.submit(A, 5)
    flows.client.delete(QUEUE)
    assert flows.taken() == rest
    flows.submit("", 1)
    assert flows.client.hmget(COUNTS, "rows", "flowing") == [b"1", None]


def test_deleted_list_of_a_flow_stops_no_other(flows: FlowHarness) -> None:
    flows.submit("")
    flows.submit(A, 5)
    (other,) = flows.submit(B)
    flows.client.delete(flow_list(A))
    assert other in flows.taken()
    assert flows.taken() == []
    flows.submit(A)
    assert flows.queued() == 1


def test_backlog_is_the_sum_over_flows(flows: FlowHarness) -> None:
    flows.submit("", 2)
    flows.submit(A, 3, rows=4)
    now = QueueSnapshots(flows.client).of(QUEUE)
    assert (now.depth, now.rows, flows.queued()) == (5, 14, 5)
    flows.taken(1)
    now = QueueSnapshots(flows.client).of(QUEUE)
    assert (now.depth, now.taken, flows.queued()) == (4, 1, 4)


def test_oldest_message_is_that_of_any_flow(flows: FlowHarness) -> None:
    def made(seconds_ago: float) -> str:
        since = f"{int((time.time() - seconds_ago) * 1000):012x}"
        return f"{since[:8]}-{since[8:]}-7000-8000-000000000000"

    for flow, ago in ("", 10), (A, 60), (B, 30):
        flows.ledger.accept(of(flow, made(ago)))
    assert QueueSnapshots(flows.client).of(QUEUE).oldest == pytest.approx(60, abs=5)
    flows.ledger.accept(of(B, made(90), priority="low"))
    assert QueueSnapshots(flows.client).of(QUEUE).oldest == pytest.approx(90, abs=5)
    flows.ledger.accept(of("", made(120), priority="high"))
    assert QueueSnapshots(flows.client).of(QUEUE).oldest == pytest.approx(120, abs=5)


def test_open_ids_are_listed_from_all_flows(flows: FlowHarness) -> None:
    ids = [*flows.submit("", 2), *flows.submit(A, 2), *flows.submit(B, 2)]
    listed = OpenIds(flows.client)
    assert listed.queued(QUEUE, 10) == ids
    assert listed.queued(QUEUE, 3) == ids[:3]


def test_position_is_told_as_if_all_took_turns(flows: FlowHarness) -> None:
    """The shared flow counts too: a message of the first caller waits there."""
    places = {task_id: flows.ledger.record(task_id).number for task_id in flows.submit(A, 3)}
    assert [*places.values()] == [1, 2, 3]
    flows.submit(A, 97)
    flows.submit(B)
    (second,) = flows.submit(B)
    (shared,) = flows.submit("")
    (late,) = flows.submit(A)
    flows.taken(1)
    numbers = [flows.ledger.record(task_id).number for task_id in (second, shared, late)]
    assert numbers == [2 * 3, 2 * 3, 104]


def test_bounds_of_the_queue_count_flows(client: redis.Redis) -> None:
    flows = FlowHarness(client)
    flows.ledger.bounds = replace(flows.ledger.bounds, rows=5)
    flows.submit(A, 5)
    with pytest.raises(Exception, match="full"):
        flows.ledger.accept(of(B, "b"))
    flows.taken(1)
    flows.submit(B)


def test_full_redis_lets_workers_take_from_flows(flows: FlowHarness) -> None:
    ids = [*flows.submit("", 2), *flows.submit(A, 3), *flows.submit(B, 3)]
    with full(flows.client):
        taken = [each for _ in range(8) for each in flows.taken(1)]
        assert flows.taken() == []
    assert sorted(taken) == sorted(ids)


def test_reservations_of_killed_workers_come_back_before_flows_go_on(flows: FlowHarness) -> None:
    flows.submit(A, 10)
    impatient = Reservations(flows.client, 0, 60)
    first = [text for _, text in impatient.reserve(QUEUE, 4, *GENEROUS)]
    assert flows.reservations.upkeep([], QUEUE) == 4
    again = [text for _, text in impatient.reserve(QUEUE, 5, *GENEROUS)]
    assert set(first) <= set(again)
    assert flows.queued() == 5


def test_paused_version_is_parked_from_flows_and_comes_back(flows: FlowHarness) -> None:
    ids = flows.submit(A, 30)
    pauses = Pauses(flows.client)
    pauses.pause("churn:3", "to see")
    assert flows.taken() == []
    assert flows.queued() == 0
    pauses.resume("churn:3")
    assert flows.taken() == ids


def test_slices_of_parked_messages_follow_each_other_whatever_flows_do(
    flows: FlowHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = flows.submit("", 4)
    pauses = Pauses(flows.client)
    pauses.pause("churn:3", "to see")
    assert flows.taken() == []
    flows.client.hset(keys.UNPARKING, "churn:3", f"4 {QUEUE}")  # as after a slice that still waits
    flows.client.hdel(keys.PAUSED, "churn:3")
    flows.client.hincrby(COUNTS, "taken", -1)
    flows.submit(A, 2)
    assert len(flows.taken()) == 2
    assert flows.client.hget(COUNTS, "left_flows") == b"1"
    flows.reservations.upkeep([], QUEUE)
    assert flows.taken() == ids


def test_queue_of_a_deployment_is_emptied_with_its_flows(flows: FlowHarness) -> None:
    client, own = flows.client, "predict:churn@production"
    client.hset(keys.QUEUED + own, "fair", 1)
    ids = [f"{flow} {number}" for flow in (A, B) for number in range(3)]
    for task_id in ids:
        flows.ledger.accept(replace(of(task_id.split(" ", maxsplit=1)[0], task_id), queue=own))
    assert client.llen(own) == 1
    assert DeployedQueues(client).bring_back(()) == 6
    assert DeployedQueues(client).bring_back(()) == 0
    assert sorted(flows.taken()) == ids
    assert client.hmget(keys.QUEUED + own, "rows", "flowing") == [b"0", b"0"]
    assert not client.exists(keys.FLOWS + own)


def test_replayed_message_is_numbered_behind_all_that_wait(client: redis.Redis) -> None:
    letters = LettersHarness(client)
    letters.fail("a")
    flows = FlowHarness(client)
    flows.submit(A, 5)
    assert letters.replays.replay("a") == "a"
    assert flows.ledger.record("a").number == 1 + 5 + 1
