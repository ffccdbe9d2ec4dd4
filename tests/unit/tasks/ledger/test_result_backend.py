"""What Celery itself reports in a worker becomes a record of the worker's ledger."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from celery.exceptions import NotRegistered

from tasks.ledger.backend import LedgerBackend
from tasks.ledger.predictions.settled import Settled


class Ledger:
    """A ledger without records that keeps what is settled."""

    def __init__(self) -> None:
        self.settled: list[Settled] = []

    def record(self, task_id: str) -> None:
        return None

    def settle(self, version: str, outcomes: list[Settled]) -> None:
        self.settled += outcomes


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [("FAILURE", NotRegistered("nothing"), "failed"), ("REVOKED", None, "cancelled")],
)
def test_result_backend_settles_in_the_worker_s_ledger(
    state: str, error: Exception | None, expected: str
) -> None:
    ledger, app = Ledger(), Celery("stock", set_as_current=False)
    app.conf.result_backend_transport_options = {"ledger": ledger}
    backend: Any = LedgerBackend(app=app, url="redis://127.0.0.1:1/0")
    backend.store_result("a", error, state, request=SimpleNamespace(task="nothing"))
    (settled,) = ledger.settled
    assert (settled.record.task_id, settled.record.state) == ("a", expected)


def test_result_backend_stores_no_other_states() -> None:
    ledger, app = Ledger(), Celery("stock", set_as_current=False)
    app.conf.result_backend_transport_options = {"ledger": ledger}
    backend: Any = LedgerBackend(app=app, url="redis://127.0.0.1:1/0")
    backend.store_result("a", None, "STARTED")
    assert ledger.settled == []
