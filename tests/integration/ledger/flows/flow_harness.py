"""A ledger whose callers have flows, and counts of what is taken from whom."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence

import redis
from msgspec.structs import replace

from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import PRIORITY_LISTS, Offer
from tasks.messages import Priority
from tests.integration.ledger.ledger_harness import (
    GENEROUS,
    PREDICTION,
    LedgerHarness,
    message,
    offer,
)

QUEUE = "predict"
COUNTS = keys.QUEUED + QUEUE
BATCH = 32
"""Messages that a worker takes at a time."""


def of(flow: str, task_id: str, rows: int = 1, priority: Priority = "normal") -> Offer:
    """An offer of a caller with this flow."""
    made = offer(task_id, replace(PREDICTION, features=[[1.0]] * rows))
    return replace(made, flow=flow, priority=priority)


def flow_list(flow: str, priority: Priority = "normal") -> str:
    if not flow and priority == "normal":
        return QUEUE
    return f"{keys.FLOW}{QUEUE}:{flow}{PRIORITY_LISTS[priority]}"


class FlowHarness(LedgerHarness):
    """The id of a message is its flow, a number and a priority, with blanks between them."""

    def __init__(self, client: redis.Redis, *, fair: bool = True) -> None:
        super().__init__(client)
        if fair:  # as a worker of this release has noted
            client.hset(COUNTS, "fair", 1)

    def submit(
        self, flow: str, many: int = 1, rows: int = 1, priority: Priority = "normal"
    ) -> list[str]:
        """Accept predictions of a flow; their ids."""
        ids = [f"{flow} {next(self.numbers)} {priority}" for _ in range(many)]
        offers = [of(flow, task_id, rows, priority) for task_id in ids]
        for at in range(0, many, 256):
            accepted = asyncio.run(self.ledger.accept_all_async(offers[at : at + 256]))
            assert accepted == [each.record.task_id for each in offers[at : at + 256]]
        return [each.record.task_id for each in offers]

    def push_as_stock_producer(self, many: int = 1) -> None:
        for _ in range(many):
            self.client.lpush(QUEUE, message(f" {next(self.numbers)}"))

    def taken(self, most: int = BATCH, rows: int = 1000) -> list[str]:
        """The ids of messages that a worker takes now."""
        found = self.reservations.reserve(QUEUE, most, rows, GENEROUS[1])
        return [json.loads(text)["headers"]["id"] for _, text in found]

    def order(self, most: int = 10**6) -> list[str]:
        """The flow of each message, in the order in which workers take them."""
        order: list[str] = []
        while len(order) < most and (batch := self.taken(min(BATCH, most - len(order)))):
            order += map(flow_of, batch)
        return order

    def lists(self) -> dict[str, int]:
        """How many messages wait in each flow; of the shared one, under an empty name."""
        flows = [flow.decode() for flow in self.client.zrange(keys.FLOWS + QUEUE, 0, -1)]
        return {flow: self.client.llen(flow_list(flow)) for flow in ("", *flows)}


def flow_of(task_id: str) -> str:
    return task_id.split(" ", maxsplit=1)[0]


def priority_of(task_id: str) -> str:
    return task_id.rpartition(" ")[2]


def last(order: Sequence[str], flow: str) -> int:
    """How many messages were taken until the last one of a flow."""
    return len(order) - order[::-1].index(flow)


def shares(order: Sequence[str]) -> Counter[str]:
    return Counter(order)
