"""Celery's result backend over the ledger: each outcome is written once, in the stock form."""

from typing import Any

from celery import states
from celery.backends.redis import RedisBackend

from tasks.ledger.ledger import Ledger
from tasks.ledger.predictions.settled import Settled
from tasks.record import Record


class LedgerBackend(RedisBackend):  # type: ignore[misc]  # Celery has no types
    """Stores the results that Celery itself reports in a worker, such as an unregistered task.

    Workers settle predictions by the microbatch (`workers.compute.microbatch`). Everything else
    is the stock backend.
    """

    @property
    def ledger(self) -> Ledger:
        """The worker's ledger, which it puts in the options of this backend."""
        ledger: Ledger = self._transport_options["ledger"]
        return ledger

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
        # Only outcomes: the scripts write the states before them.
        if state in states.READY_STATES:
            known = self.ledger.record(task_id) or Record.read(task_id, None)
            outcome = known.cancelled() if state == states.REVOKED else known.failed(result)
            self.ledger.settle(known.reference, [Settled(outcome)])
        return result
