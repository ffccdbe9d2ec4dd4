"""A harness of the ledger for dead letters and replays."""

import redis

from tasks.ledger.dead_letters.burial import Burial
from tasks.ledger.dead_letters.letters import DeadLetters, Filter, WholeLetter
from tasks.ledger.dead_letters.replay import Replays
from tasks.ledger.predictions.settled import Settled
from telemetry.errors import ArtifactMismatch
from tests.integration.ledger.ledger_harness import GENEROUS, LedgerHarness


class LettersHarness(LedgerHarness):
    """A ledger harness that never pauses a version."""

    def __init__(self, client: redis.Redis, **changes: float) -> None:
        super().__init__(client, **changes)
        self.burial = Burial(client, self.settings)
        self.letters = DeadLetters(client, self.settings)
        self.replays = Replays(self.ledger, self.letters)

    def fail(self, task_id: str, model: str = "churn", error: Exception | None = None) -> bytes:
        """Accept a prediction and fail its last attempt; return its message."""
        self.accept(task_id, model)
        ((tag, message),) = self.reservations.reserve("predict", 1, *GENEROUS)
        self.ledger.start([(tag, task_id)])
        outcome = self.ledger.record(task_id).failed(error or ArtifactMismatch("it is damaged"))
        assert self.ledger.settle(f"{model}:3", [Settled(outcome, tag, dead_after=2)]) == 1
        return message

    def bury(self, message: bytes) -> WholeLetter:
        self.client.lpush("predict", message)
        ((tag, _),) = self.reservations.reserve("predict", 1, *GENEROUS)
        self.burial.bury(tag, message, "nobody can read it")
        return self.letters.show(self.ids()[0])

    def ids(self) -> list[str]:
        return [letter.id for letter in self.letters.find(Filter())]
