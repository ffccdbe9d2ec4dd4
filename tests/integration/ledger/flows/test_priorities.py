"""Priorities order the predictions of one caller, and change nothing between callers."""

import pytest
from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.queue.deployed import DeployedQueues
from tasks.ledger.queue.listing import OpenIds
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tests.integration.ledger.flows.flow_harness import (
    COUNTS,
    QUEUE,
    FlowHarness,
    flow_of,
    of,
    priority_of,
)
from tests.integration.ledger.ledger_harness import full

A, B = "a:1", "b:1"
FLOWS = pytest.mark.parametrize("flow", ["", A], ids=["without a key", "with a key"])


def letters(ids: list[str]) -> str:
    return "".join(priority_of(each)[0] for each in ids)


def fill(flows: FlowHarness, flow: str, many: int) -> None:
    flows.submit(flow)  # on the list that workers watch
    assert len(flows.taken()) == 1
    flows.submit("other:1")
    for priority in "low", "normal", "high":
        flows.submit(flow, many, priority=priority)


@FLOWS
def test_high_goes_first_and_none_starves(flows: FlowHarness, flow: str) -> None:
    fill(flows, flow, 20)
    own = [each for each in flows.taken(61) if flow_of(each) == flow]
    first = "hhhnhhhnhhhnhhln"
    second = "hhhnhhhnhhhnnnln"  # no high one is left
    assert letters(own) == first + second + "n" * 10 + "l" * 18
    for priority in "high", "normal", "low":
        numbers = [int(each.split(" ")[1]) for each in own if priority_of(each) == priority]
        assert numbers == sorted(numbers)


@FLOWS
def test_choices_go_on_from_one_worker_to_the_next(flows: FlowHarness, flow: str) -> None:
    fill(flows, flow, 16)
    own = [each for _ in range(20) for each in flows.taken(1) if flow_of(each) == flow]
    assert letters(own)[:16] == "hhhnhhhnhhhnhhln"
    while flows.taken():
        pass
    assert not flows.client.exists(keys.FLOW_CHOICES + QUEUE)
    assert not flows.client.hexists(COUNTS, "prioritized")


@FLOWS
@pytest.mark.parametrize("priority", ["high", "low"])
def test_one_priority_alone_is_drained_in_its_order(
    flows: FlowHarness, flow: str, priority: str
) -> None:
    ids = flows.submit(flow, 30, priority=priority)
    assert [each for _ in range(4) for each in flows.taken(9)] == ids


def test_priorities_take_nothing_from_other_callers(flows: FlowHarness) -> None:
    flows.submit(B, 100)
    for priority in "high", "normal", "low":
        flows.submit(A, 50, priority=priority)
        flows.submit("", 50, priority=priority)
    order = flows.order(90)
    assert [order.count(each) for each in ("", A, B)] == pytest.approx([30, 30, 30], abs=2)


@FLOWS
def test_high_message_that_exceeds_a_bound_stays_in_front(flows: FlowHarness, flow: str) -> None:
    (first,) = flows.submit("other:1")
    high = [*flows.submit(flow, rows=9, priority="high"), *flows.submit(flow, 2, priority="high")]
    assert flows.taken(rows=3) == [first]
    assert flows.queued() == 3
    assert flows.client.hget(COUNTS, "prioritized") in (b"3", b"2")  # one may have been moved
    assert flows.taken() == high


@FLOWS
def test_priorities_count_and_are_listed_like_all_others(flows: FlowHarness, flow: str) -> None:
    ids = flows.submit(flow)
    for priority in "high", "low":
        ids += flows.submit(flow, 2, priority=priority)
    now = QueueSnapshots(flows.client).of(QUEUE)
    assert (now.depth, now.rows, flows.queued()) == (5, 5, 5)
    assert sorted(OpenIds(flows.client).queued(QUEUE, 10)) == sorted(ids)


@FLOWS
def test_queue_is_never_empty_while_a_priority_waits(flows: FlowHarness, flow: str) -> None:
    flows.submit(flow)
    ids = [*flows.submit(flow, priority="low"), *flows.submit(flow, priority="high")]
    taken = []
    while batch := flows.taken(1):
        taken += batch
        assert flows.client.llen(QUEUE) or not flows.queued()
    assert taken.index(ids[1]) < taken.index(ids[0])


@FLOWS
def test_full_redis_lets_workers_take_priorities(flows: FlowHarness, flow: str) -> None:
    fill(flows, flow, 5)
    with full(flows.client):
        taken = [each for _ in range(20) for each in flows.taken(1)]
    assert len(set(taken)) == 16


def test_flow_of_priorities_begins_once(flows: FlowHarness) -> None:
    """What waits with another priority changes nothing in its time."""
    flows.submit("")
    flows.submit(A, 2, rows=50)
    flows.submit(B, 100)
    flows.order(20)
    before = flows.client.zscore(keys.FLOWS + QUEUE, A)
    flows.submit(A, priority="high")
    assert flows.client.zscore(keys.FLOWS + QUEUE, A) == before


def test_queue_of_a_deployment_is_emptied_with_its_priorities(flows: FlowHarness) -> None:
    client, own = flows.client, "predict:churn@production"
    client.hset(keys.QUEUED + own, "fair", 1)
    ids = [f"{flow} {at} {p}" for flow in ("", A) for at in range(2) for p in ("low", "high")]
    for task_id in ids:
        made = of(flow_of(task_id), task_id, priority=priority_of(task_id))
        flows.ledger.accept(replace(made, queue=own))
    assert DeployedQueues(client).bring_back(()) == len(ids)
    assert sorted(flows.taken()) == sorted(ids)
    assert not client.exists(keys.FLOWS + own, own)


def test_priorities_wait_for_a_worker_that_knows_them(flows: FlowHarness) -> None:
    flows.client.hdel(COUNTS, "fair")
    flows.submit("", 2, priority="low")
    flows.submit(A, 2, priority="high")
    assert flows.lists() == {"": 4}
