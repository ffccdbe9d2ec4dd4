"""Celery's result backend over the ledger: each outcome is written once, in the stock form."""

from functools import cached_property
from typing import Any

from celery import states
from celery.backends.redis import RedisBackend

from tasks.ledger.ledger import Ledger, connect
from tasks.ledger.predictions.settlement import Settled
from tasks.record import Record
from tasks.settings import Settings


class LedgerBackend(RedisBackend):  # type: ignore[misc]  # Celery has no types
    """Stores the results that Celery itself reports, such as an unregistered task.

    Workers settle predictions by the microbatch (`workers.compute.microbatch`). Everything else
    is the stock backend.
    """

    @cached_property
    def ledger(self) -> Ledger:
        """One ledger per process; the connection pool of its client detects a fork."""
        settings = Settings.from_environment()
        return Ledger(connect(settings.redis_url), settings)

    def on_task_call(self, producer: Any, task_id: str) -> None:
        """Do not subscribe: the stock backend does for each publish, and blocks without Redis."""

    def encode_result(self, result: Any, state: str) -> Any:
        """Return the result unchanged; `_store_result` turns it into a record."""
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
