"""Celery's result backend over the ledger: outcomes are written once, in the stock form."""

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec
from celery import states
from celery.backends.redis import RedisBackend

from tasks.ledger.ledger import Ledger, connect
from tasks.record import Answer, ErrorBody, Record
from tasks.settings import Settings


class LedgerBackend(RedisBackend):  # type: ignore[misc]  # Celery has no types
    """Stores through the settle script; everything else is the stock backend."""

    @cached_property
    def ledger(self) -> Ledger:
        """One per process: the client's pool notices a fork by itself."""
        settings = Settings.from_environment()
        return Ledger(connect(settings.redis_url), settings.result_ttl)

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
            known = self.ledger.record(task_id) or Record.unannounced(task_id, request)
            self.ledger.settle(outcome(known, result, state))
        return result


def outcome(known: Record, result: Any, state: str) -> Record:
    """The terminal record that follows from what Celery says of a task."""
    now = datetime.now(UTC).isoformat()
    if state == states.SUCCESS:
        answer: Answer = result
        return msgspec.structs.replace(
            known,
            status="SUCCESS",
            state="succeeded",
            model=answer.receipt.model,
            version=answer.receipt.version,
            result=answer.predictions,
            receipt=answer.receipt,
            date_done=now,
        )
    if state == states.REVOKED:
        return cancelled(known)
    return msgspec.structs.replace(
        known,
        status="FAILURE",
        state="failed",
        result=_as_celery_exception(result),
        error=ErrorBody.of(result),
        date_done=now,
    )


def cancelled(known: Record) -> Record:
    """The outcome of a prediction that its caller no longer wants."""
    return msgspec.structs.replace(
        known,
        status="REVOKED",
        state="cancelled",
        result={
            "exc_type": "TaskRevokedError",
            "exc_message": ["cancelled"],
            "exc_module": "celery.exceptions",
        },
        date_done=datetime.now(UTC).isoformat(),
    )


def _as_celery_exception(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    return {
        "exc_type": kind.__name__,
        "exc_message": [ErrorBody.of(error).message],
        "exc_module": kind.__module__,
    }
