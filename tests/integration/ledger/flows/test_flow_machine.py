"""Any order of calls, kills, purges and older workers loses no message and repeats none."""

import json
from collections import Counter
from typing import ClassVar

import pytest
import redis
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Pauses
from tasks.ledger.predictions.acceptance import PRIORITY_LISTS
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.queue_snapshot import QueueSnapshots
from tasks.messages import Priority
from tests.integration.ledger.flows.flow_harness import COUNTS, QUEUE, FlowHarness, flow_list
from tests.integration.ledger.ledger_harness import RECEIPT

FLOWS = st.sampled_from(["", "a:1", "b:3", "c:0.5"])
PRIORITIES: st.SearchStrategy[Priority] = st.sampled_from(["normal", "normal", "high", "low"])
FEW = st.integers(1, 6)
ACTS = [
    *["accept"] * 4,
    *["take"] * 3,
    *("settle", "kill a worker", "older worker", "purge", "pause"),
]


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

    # One rule: Hypothesis leaves out some of several rules in most examples, here mostly `accept`.
    @rule(what=st.sampled_from(ACTS), flow=FLOWS, many=FEW, rows=FEW, priority=PRIORITIES)
    def act(self, what: str, flow: str, many: int, rows: int, priority: Priority) -> None:
        match what:
            case "accept":
                self.accept(flow, many, rows, priority)
            case "take":
                self.take(many, 3 * rows)
            case "settle":
                self.settle(many)
            case "kill a worker":
                self.kill_a_worker(many)
            case "older worker":
                self.take_as_an_earlier_release(many)
            case "purge":
                self.take_as_an_earlier_release(1000)
            case "pause":
                self.pause_and_resume()

    def accept(self, flow: str, many: int, rows: int, priority: Priority) -> None:
        ids = self.flows.submit(flow, many, rows, priority)
        self.waiting.update(ids)
        self.rows |= dict.fromkeys(ids, rows)

    def take(self, most: int, rows: int) -> None:
        found = self.flows.reservations.reserve(QUEUE, most, rows, 10**6)
        ids = [json.loads(text)["headers"]["id"] for _, text in found]
        assert len(set(ids)) == len(ids)
        assert set(ids) <= self.waiting
        assert ids or not self.waiting
        assert sum(self.rows[each] for each in ids) <= rows or len(ids) == 1
        self.waiting.difference_update(ids)
        self.held |= dict(zip((tag for tag, _ in found), ids, strict=True))

    def settle(self, many: int) -> None:
        for tag in [*self.held][:many]:
            outcome = self.flows.ledger.record(self.held[tag]).succeeded([1], RECEIPT)
            assert self.flows.ledger.settle("churn:3", [Settled(outcome, tag)]) == 1
            del self.held[tag]

    def kill_a_worker(self, many: int) -> None:
        """Its reservations end."""
        lost = [*self.held][:many]
        self.flows.reservations.release(lost)
        self.flows.reservations.upkeep([tag for tag in self.held if tag not in lost], QUEUE)
        self.waiting.update(self.held.pop(tag) for tag in lost)

    def take_as_an_earlier_release(self, many: int) -> None:
        """Such a worker takes from the list of the queue alone, as `celery purge` does."""
        for text in self.client.rpop(QUEUE, many) or ():
            task_id = json.loads(text)["headers"]["id"]
            self.waiting.remove(task_id)
            self.client.hincrby(COUNTS, "rows", -self.rows[task_id])
            self.client.hincrby(COUNTS, "taken", 1)
        self.flows.reservations.upkeep(self.held, QUEUE)

    def pause_and_resume(self) -> None:
        """What waits is parked, and comes back."""
        pauses = Pauses(self.client)
        pauses.pause("churn:3", "to see")
        assert self.flows.taken() == []
        pauses.resume("churn:3")

    @invariant()
    def every_message_is_where_it_should_be(self) -> None:
        flows = [each.decode() for each in self.client.zrange(keys.FLOWS + QUEUE, 0, -1)]
        lists = [flow_list(flow, priority) for flow in ("", *flows) for priority in PRIORITY_LISTS]
        found = [json.loads(text) for name in lists for text in self.client.lrange(name, 0, -1)]
        assert Counter(each["headers"]["id"] for each in found) == Counter(self.waiting)
        known = {*map(bytes.decode, self.client.keys(keys.FLOW + "*"))}
        assert known <= {*lists}
        assert all(any(each.startswith(flow_list(flow)) for each in known) for flow in flows)
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
        while self.waiting:
            self.take(100, 10**6)
            self.settle(100)


@pytest.mark.timeout(120)
def test_no_order_of_calls_loses_or_repeats_a_message(client: redis.Redis) -> None:
    machine = type("OnThisRedis", (Queue,), {"client": client})
    # To make a failing order shorter can take minutes, as each step asks Redis.
    searched = settings(
        max_examples=20, stateful_step_count=40, phases=[Phase.reuse, Phase.generate]
    )
    run_state_machine_as_test(machine, settings=searched)
