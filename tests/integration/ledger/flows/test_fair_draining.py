"""Callers are drained in turns: by weight, by rows, and whoever came first. Counts, not times."""

import pytest

from tasks.ledger import keys
from tests.integration.ledger.flows.flow_harness import (
    BATCH,
    COUNTS,
    QUEUE,
    FlowHarness,
    flow_of,
    last,
    shares,
)

A, B, C = "a:1", "b:1", "c:1"


def test_late_caller_waits_no_longer_than_its_share_takes(flows: FlowHarness) -> None:
    flows.submit(A, 3000)
    flows.submit(B, 100)
    order = flows.order()
    assert last(order, B) <= 1.2 * 2 * 100
    assert shares(order) == {A: 3000, B: 100}


@pytest.mark.parametrize("keyed", [True, False])
def test_callers_without_a_key_and_stock_producers_are_one_flow(
    flows: FlowHarness, keyed: bool
) -> None:
    if keyed:
        flows.submit(A, 1000)
        flows.submit("", 50)
        flows.push_as_stock_producer(50)
    else:
        flows.push_as_stock_producer(500)
        flows.submit("", 500)
        flows.submit(A, 100)
    order = flows.order()
    assert last(order, "" if keyed else A) <= 1.2 * 2 * 100
    assert shares(order)[A] + shares(order)[""] == 1100


def test_order_within_a_flow_is_that_of_acceptance(flows: FlowHarness) -> None:
    ids = [*flows.submit(A, 20), *flows.submit(B, 20), *flows.submit("", 20), *flows.submit(A, 20)]
    taken = [task_id for _ in range(10) for task_id in flows.taken(most=9)]
    assert sorted(taken) == sorted(ids)
    for flow in A, B, "":
        own = [each for each in ids if flow_of(each) == flow]
        assert [each for each in taken if flow_of(each) == flow] == own


@pytest.mark.parametrize("weight", ["3", "0.5"])
def test_weight_is_the_share(flows: FlowHarness, weight: str) -> None:
    flows.submit(A, 600)
    flows.submit(f"b:{weight}", 600)
    counts = shares(flows.order(400))
    assert counts[f"b:{weight}"] == pytest.approx(float(weight) * counts[A], abs=4)


def test_rows_are_charged_not_messages(flows: FlowHarness) -> None:
    flows.submit(A, 60, rows=10)
    flows.submit(B, 600)
    counts = shares(flows.order(220))
    assert 10 * counts[A] == pytest.approx(counts[B], abs=20)


def test_no_rows_cost_as_much_as_one(flows: FlowHarness) -> None:
    """Any producer can say so."""
    flows.submit(A, 100)
    no_rows = b'{"headers":{"rows":0,"id":" 0"},"properties":{},"body":""}'
    flows.client.lpush(QUEUE, *[no_rows] * 100)
    assert shares(flows.order(100))[A] == pytest.approx(50, abs=2)


def test_time_without_anything_to_wait_for_is_not_saved_up(flows: FlowHarness) -> None:
    flows.submit(B, 50)
    flows.submit(A, 2000)
    flows.order(1000)
    flows.submit(B, 200)
    assert shares(flows.order(200))[B] == pytest.approx(100, abs=2)


def test_what_a_flow_had_beyond_its_share_is_charged_when_it_returns(flows: FlowHarness) -> None:
    flows.submit(A, 300)
    flows.submit(B, rows=100)
    order = flows.order(10)
    assert order.count(B) == 1
    flows.submit(B, rows=100)
    assert last(flows.order(), B) > 90
    flows.submit(A, 200)
    flows.submit(B, rows=20)
    assert B in flows.order(10)
    assert flows.client.zcard(keys.IDLE_FLOWS + QUEUE) == 1
    flows.order(30)
    assert not flows.client.exists(keys.IDLE_FLOWS + QUEUE), "the others have caught up"
    assert flows.order()
    assert not flows.client.exists(keys.IDLE_FLOWS + QUEUE)


@pytest.mark.parametrize(("weight", "other"), [("0.01", "1"), ("1", "100")])
def test_no_weight_lets_a_flow_starve(flows: FlowHarness, weight: str, other: str) -> None:
    flows.submit(f"heavy:{other}", 500)
    flows.submit(f"light:{weight}", 3)
    assert last(flows.order(), f"light:{weight}") <= 350


def test_a_thousand_callers_each_have_a_turn_in_each_round(flows: FlowHarness) -> None:
    flows.submit(A, 2000)
    for number in range(300):
        flows.submit(f"caller{number}:1", 2)
    counts = shares(flows.order(2 * 301 + BATCH))
    assert counts[A] <= BATCH + 3
    assert min(counts[f"caller{number}:1"] for number in range(300)) == 2


def test_what_exceeds_a_bound_stays_in_its_flow_and_is_not_charged(flows: FlowHarness) -> None:
    flows.submit("", rows=2)
    (first,) = flows.submit(A, rows=9)
    second, third = *flows.submit(A, rows=5), *flows.submit(B, rows=5)
    assert len(flows.taken(rows=3)) == 1
    rest = [flows.taken(rows=3) for _ in range(3)]
    assert sorted(rest) == sorted([[first], [second], [third]])
    assert rest.index([first]) < rest.index([second])
    assert flows.taken() == []


def test_turns_are_exact(flows: FlowHarness) -> None:
    """In each round, two rows of weight 2 and one of each other flow."""
    flows.push_as_stock_producer(4)
    flows.submit("a:2", 12)
    flows.submit(B, 4)
    assert flows.order(8) == ["", "a:2", B, "a:2"] * 2


def test_message_of_the_shared_flow_that_exceeds_a_bound_stays_in_front(flows: FlowHarness) -> None:
    shared = [*flows.submit("", rows=2), *flows.submit("", rows=9), *flows.submit("")]
    own = flows.submit(A, 3)
    assert flows.taken(rows=12) == [shared[0], *own[:2]]
    assert flows.client.hget(COUNTS, "prioritized") == b"0"
    assert flows.lists() == {"": 2, A: 1}
    assert flows.taken() == [shared[1], own[2], shared[2]]


def test_message_that_was_charged_already_stays_in_front(flows: FlowHarness) -> None:
    flows.submit("")
    own = [*flows.submit(A), *flows.submit(A, rows=9), *flows.submit(A)]
    flows.client.delete(QUEUE)
    flows.reservations.upkeep([], QUEUE)
    assert flows.taken(rows=3) == own[:1]
    assert flows.client.hmget(COUNTS, "charged", "shared") == [b"2", b"0"]
    (other,) = flows.submit(B)
    assert flows.lists() == {"": 2, B: 1}
    assert flows.taken() == [*own[1:], other]


@pytest.mark.parametrize("flow", ["", A])
def test_one_flow_is_drained_in_its_order(flows: FlowHarness, flow: str) -> None:
    ids = flows.submit(flow, 100)
    assert [each for _ in range(10) for each in flows.taken(most=11)] == ids
    flows.submit(flow)
    assert len(flows.taken()) == 1
    assert not flows.client.hexists(COUNTS, "charged")
    assert flows.lists() == {"": 0}


def test_shared_flow_alone_uses_the_list_of_the_queue_alone(flows: FlowHarness) -> None:
    flows.submit("", 10)
    flows.taken(3)
    assert flows.lists() == {"": 7}
    assert not flows.client.keys("*flow*")
