"""Celery's result backend over the ledger: outcomes are written once, in the stock form."""

from functools import cached_property
from typing import Any

from celery import states
from celery.backends.redis import RedisBackend

from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.predictions.settlement import Settled
from tasks.record import Record
from tasks.settings import Settings


class LedgerBackend(RedisBackend):  # type: ignore[misc]  # Celery has no types
    """Stores what Celery itself has to say of a task, such as that nobody knows it.

    Predictions are settled by the batch, see `workers.compute.microbatch`; the rest is the stock
    backend.
    """

    @cached_property
    def ledger(self) -> Ledger:
        """One per process: the client's pool notices a fork by itself."""
        settings = Settings.from_environment()
        return Ledger(connect(settings.redis_url), settings)

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Do not subscribe: stock subscribes per publish, and blocks without Redis."""

    def encode_result(self, result: Any, state: str) -> Any:
        """Keep the object: `_store_result` makes the record of it."""
        return result

    def _store_result(
        self,
        task_id: str,
        result: Any,
        state: str,
        traceback: str | None = None,
        request: Any = None,
        **kwargs: Any,
    ) -> Any:
        if state in states.READY_STATES:
            known = self.ledger.record(task_id) or Record.read(task_id, None)
            outcome = known.cancelled() if state == states.REVOKED else known.failed(result)
            self.ledger.settle(known.reference, [Settled(outcome)])
        return result
