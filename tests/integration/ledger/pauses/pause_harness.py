"""A harness of the ledger for failures, pauses and probes."""

import json

import redis

from tasks.ledger import keys
from tasks.ledger.pauses.pauses import Paused, Pauses
from tasks.ledger.predictions.settled import Settled
from telemetry.errors import ArtifactMismatch, PredictqError, VersionPaused
from tests.integration.ledger.ledger_harness import RECEIPT, LedgerHarness
from tests.support.stack import until

DAMAGED = ArtifactMismatch("it is damaged")
LONG_AGO = "0190163d-8694-739b-aea5-966c26f8ad91"
"""An id of ours, of 2024."""


class PauseHarness(LedgerHarness):
    """A ledger harness in which three failures in a row pause a version."""

    def __init__(self, client: redis.Redis, **changes: float) -> None:
        super().__init__(client, **{"breaker_failures": 3, **changes})
        self.pauses = Pauses(client)

    def taken(self) -> list[str]:
        return [task_id for _, task_id in self.take()]

    def fail(self, batch: list[tuple[str, str]], error: PredictqError = DAMAGED) -> int:
        self.ledger.start(batch)
        dead_after = 1 if error.infrastructure else None
        return self.settle(
            Settled(self.ledger.record(task_id).failed(error), tag, dead_after)
            for tag, task_id in batch
        )

    def succeed(self, batch: list[tuple[str, str]]) -> int:
        self.ledger.start(batch)
        return self.settle(
            Settled(self.ledger.record(task_id).succeeded([7], RECEIPT), tag)
            for tag, task_id in batch
        )

    def settle(self, outcomes) -> int:
        return self.ledger.settle("churn:3", list(outcomes))

    def fail_one(self, error: PredictqError = DAMAGED) -> None:
        self.accept()
        self.fail(self.take(1), error)

    def paused(self) -> Paused | None:
        found = self.pauses.all()
        assert len(found) <= 1
        return found[0] if found else None

    def open(self) -> None:
        """Pause the version by failures."""
        while not self.paused():
            self.fail_one()

    def probe(self) -> tuple[str, str]:
        """Wait until a submission is accepted as the probe, and reserve it."""

        def let_through() -> bool:
            try:
                return bool(self.accept())
            except VersionPaused:
                return False

        until(let_through, "a probe", 5)
        (probe,) = self.take()
        return probe

    def parked(self) -> list[str]:
        messages = self.client.lrange(keys.PARKED + "churn:3", 0, -1)
        return [json.loads(message)["headers"]["id"] for message in reversed(messages)]

    def forget(self, task_id: str) -> None:
        """Cancel a prediction and let its outcome expire."""
        self.settle([Settled(self.ledger.record(task_id).cancelled())])
        self.client.delete(keys.record(task_id))
