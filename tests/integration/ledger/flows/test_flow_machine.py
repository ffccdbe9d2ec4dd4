"""Any order of calls, kills, purges and older workers loses no message and repeats none."""

import json
from collections import Counter
from typing import ClassVar

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tests.integration.ledger.flows.flow_harness import COUNTS, QUEUE, FlowHarness, flow_list
from tests.integration.ledger.ledger_harness import RECEIPT

FLOWS = st.sampled_from(["", "a:1", "b:3", "c:0.5"])
FEW = st.integers(1, 6)


class Queue(RuleBasedStateMachine):
    """The model: where each message is."""

    client: ClassVar[redis.Redis]

    def __init__(self) -> None:
        super().__init__()
        self.client.flushall()
        self.flows = FlowHarness(self.client)
        self.rows: dict[str, int] = {}
        self.waiting: set[str] = set()
        self.held: dict[str, str] = {}
        """Tag of a reservation → id."""
        self.parked: set[str] = set()
        self.is_paused = False

    @rule(flow=FLOWS, many=FEW, rows=FEW)
    def accept(self, flow: str, many: int, rows: int) -> None:
        if not self.is_paused:
            ids = self.flows.submit(flow, many, rows)
            self.waiting.update(ids)
            self.rows |= dict.fromkeys(ids, rows)

    @rule(most=FEW, rows=st.integers(1, 20))
    def take(self, most: int, rows: int) -> None:
        found = self.flows.reservations.reserve(QUEUE, most, rows, 10**6)
        ids = [json.loads(text)["headers"]["id"] for _, text in found]
        assert len(set(ids)) == len(ids)
        assert set(ids) <= self.waiting
        if self.is_paused:
            self.parked, self.waiting = self.parked | self.waiting, set()
            assert not ids
        else:
            assert ids or not self.waiting
        assert sum(self.rows[each] for each in ids) <= rows or len(ids) == 1
        self.waiting.difference_update(ids)
        self.held |= dict(zip((tag for tag, _ in found), ids, strict=True))

    @rule(many=FEW)
    def settle(self, many: int) -> None:
        for tag in [*self.held][:many]:
            outcome = self.flows.ledger.record(self.held[tag]).succeeded([1], RECEIPT)
            assert self.flows.ledger.settle("churn:3", [Settled(outcome, tag)]) == 1
            del self.held[tag]

    @rule(many=FEW)
    def kill_a_worker(self, many: int) -> None:
        """Its reservations end."""
        lost = [*self.held][:many]
        self.flows.reservations.release(lost)
        self.flows.reservations.upkeep([tag for tag in self.held if tag not in lost], QUEUE)
        self.waiting.update(self.held.pop(tag) for tag in lost)

    @rule(many=FEW)
    def take_as_an_earlier_release(self, many: int) -> None:
        """Such a worker takes from the list of the queue alone."""
        for _ in range(many):
            if text := self.client.rpop(QUEUE):
                task_id = json.loads(text)["headers"]["id"]
                self.waiting.remove(task_id)
                self.client.hincrby(COUNTS, "rows", -self.rows[task_id])
                self.client.hincrby(COUNTS, "taken", 1)
        self.flows.reservations.upkeep(self.held, QUEUE)

    @rule()
    def purge(self) -> None:
        """As `celery purge` does it."""
        for text in self.client.lrange(QUEUE, 0, -1):
            task_id = json.loads(text)["headers"]["id"]
            self.waiting.remove(task_id)
            self.client.hincrby(COUNTS, "rows", -self.rows[task_id])
        self.client.delete(QUEUE)
        self.flows.reservations.upkeep(self.held, QUEUE)

    @rule()
    def pause(self) -> None:
        Pauses(self.client).pause("churn:3", "to see")
        self.is_paused = True

    @rule()
    def resume(self) -> None:
        Pauses(self.client).resume("churn:3")
        self.is_paused = False
        self.waiting, self.parked = self.waiting | self.parked, set()

    @invariant()
    def every_message_is_where_it_should_be(self) -> None:
        flows = [each.decode() for each in self.client.zrange(keys.FLOWS + QUEUE, 0, -1)]
        lists = [QUEUE, *map(flow_list, flows)]
        found = [json.loads(text) for name in lists for text in self.client.lrange(name, 0, -1)]
        assert Counter(each["headers"]["id"] for each in found) == Counter(self.waiting)
        assert {*self.client.keys(keys.FLOW + "*")} == {flow_list(each).encode() for each in flows}
        assert self.client.hlen(keys.RESERVED) == len(self.held)

    @invariant()
    def what_waits_is_counted(self) -> None:
        now = QueueSnapshots(self.client).of(QUEUE)
        assert (now.depth, now.reserved) == (len(self.waiting), len(self.held))
        if self.waiting:
            assert now.rows == sum(self.rows[each] for each in self.waiting)

    @invariant()
    def workers_are_woken(self) -> None:
        """They watch the list of the queue alone."""
        assert self.client.llen(QUEUE) or not self.waiting

    def teardown(self) -> None:
        """In the end, all that waits can be taken."""
        self.resume()
        while self.waiting:
            self.take(100, 10**6)
            self.settle(100)


@pytest.mark.timeout(120)
def test_no_order_of_calls_loses_or_repeats_a_message(client: redis.Redis) -> None:
    machine = type("OnThisRedis", (Queue,), {"client": client})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30))
