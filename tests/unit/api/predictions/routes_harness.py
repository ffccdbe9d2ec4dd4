"""A gateway in memory for the routes of predictions, and records that it may have."""

from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

from flask.testing import FlaskClient
from msgspec.structs import replace

from api.limits.send_budget import ON_SENT
from api.predictions.routes import ASKED, AwaitedOutcome
from tasks.ledger.queue.queue_estimate import QueueEstimate
from tasks.messages import Idempotency, Prediction
from tasks.record import Record
from telemetry.errors import PredictionNotFound, VersionPaused
from tests.receipts import RECEIPT as SOME_RECEIPT

BODY = {"model": "m", "features": [[1.0], [2.0]]}
RECEIPT = replace(SOME_RECEIPT, version=1)
QUEUED = Record.queued(
    "an-id",
    Prediction(model="m", version=2, alias=None, method="predict", features=[], created_at=1.0),
)
SUCCEEDED = QUEUED.succeeded([1, 2], RECEIPT)


class Gateway:
    """Accepts everything but paused versions."""

    queue_estimates = SimpleNamespace(
        freshen=lambda _: None, of=lambda _: QueueEstimate(queue_position=3)
    )

    def __init__(self) -> None:
        self.submitted: list[tuple[Prediction, Idempotency | None]] = []
        self.paused: set[int] = set()
        self.records: dict[str, Record] = {}

    def submit(self, prediction: Prediction, key: Idempotency | None) -> Record:
        if prediction.version in self.paused:
            raise VersionPaused
        self.submitted.append((prediction, key))
        return self.records.setdefault("an-id", Record.queued("an-id", prediction))

    def look_up(self, task_id: str) -> Record:
        if task_id not in self.records:
            raise PredictionNotFound
        return self.records[task_id]

    def cancel(self, task_id: str) -> Record:
        self.records[task_id] = self.look_up(task_id).cancelled()
        return self.records[task_id]


def left_to_the_loop(
    web: FlaskClient, method: str, path: str, **given: Any
) -> list[AwaitedOutcome]:
    """What the views leave to the event loop, in the scope of the request."""
    later: list[AwaitedOutcome] = []
    scope = {ASKED: later, ON_SENT: ExitStack()}
    web.open(path, method=method, environ_overrides={"asgi.scope": scope}, **given)
    return later
