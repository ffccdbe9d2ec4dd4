"""Asks for predictions on behalf of a request that waits for all of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from flask import request

from api.callers.current import current_caller
from api.limits.concurrency import ConcurrencyLimit
from api.predictions.outcomes import no_outcome_yet
from api.predictions.submission import Submission, prepare_resolved
from registry.names import parse_reference
from registry.store import Registry
from registry.versions import Resolved
from tasks.gateway import Gateway
from tasks.ledger import keys
from tasks.ledger.watcher import Watcher
from tasks.record import Receipt, Record
from tasks.settings import Settings
from telemetry.errors import Busy, Cancelled, Expired, PredictqError, kind_of

WAIT_SECONDS = 30.0
"""Seconds that a request waits for all of its predictions."""
POLL_SECONDS = 1.0
"""Seconds after which an outcome is looked for that was not announced."""
DEPLOYED = "production"
"""The alias by which a model is asked whose name alone is given, if there is such an alias."""
_ENDINGS = {"expired": Expired, "cancelled": Cancelled}


class AnsweredRows(msgspec.Struct, frozen=True):
    """A prediction that succeeded."""

    id: str
    predictions: list[Any]
    receipt: Receipt


class Asking:
    """Submits rows and waits for their predictions, in the thread that asks."""

    def __init__(
        self, gateway: Gateway, watcher: Watcher, registry: Registry, settings: Settings
    ) -> None:
        self._gateway, self._watcher = gateway, watcher
        self._registry, self._settings = registry, settings
        self._waiting = ConcurrencyLimit(settings.threads // 4)

    def reference(self, model: str) -> str:
        """The version that a name means: the deployed one, else the latest."""
        found = parse_reference(model)
        is_bare = found.alias is None and found.version is None
        if is_bare and DEPLOYED in self._registry.aliases(found.name):
            return f"{model}@{DEPLOYED}"
        return model

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Hold one of the threads that may wait; yields the deadline, in `time.monotonic` seconds.

        Raises `Busy` if all of them wait.
        """
        with self._waiting.one() as free:
            if not free:
                raise Busy
            yield time.monotonic() + WAIT_SECONDS

    def ask(
        self, version: Resolved, features: Any, deadline: float, method: str = "predict"
    ) -> AnsweredRows:
        """The predictions of rows by a version; ``deadline`` is that of `slot`.

        Raises what a submission raises, what the prediction ended with, and `TimedOut` if it has
        no outcome in time.
        """
        pinned = version.manifest.reference
        submission = Submission(model=pinned, features=features, method=method)
        caller = current_caller(request)
        prediction = prepare_resolved(submission, version, self._settings, caller, lambda: None)
        return _answered(self._outcome(self._gateway.submit(prediction).task_id, deadline))

    def _outcome(self, task_id: str, deadline: float) -> Record:
        """The record once it has an outcome, or as it is at the deadline."""
        with self._watcher.watching(keys.record(task_id)) as published:
            while True:
                record = self._gateway.look_up(task_id)
                left = deadline - time.monotonic()
                if record.is_terminal or left <= 0 or self._gateway.is_shutting_down:
                    return record
                published.wait(min(left, POLL_SECONDS))


def _answered(record: Record) -> AnsweredRows:
    if record.receipt is not None and record.result is not None:
        return AnsweredRows(record.task_id, record.result, record.receipt)
    if record.error is not None:
        raise kind_of(record.error.code)(record.error.message)
    if record.is_terminal:
        raise _ENDINGS.get(record.state, PredictqError)
    raise no_outcome_yet(record.task_id)


def timestamp() -> str:
    """The present time as RFC 3339 text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
