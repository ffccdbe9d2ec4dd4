"""Asks for predictions on behalf of a request that waits for all of them."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from api.limits.concurrency import ConcurrencyLimit
from api.predictions.submission import Submission, prepare_prediction
from registry.names import parse_reference
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.record import Receipt, Record
from tasks.settings import Settings
from telemetry.errors import Busy, Cancelled, Expired, PredictqError, TimedOut, kind_of

WAIT_SECONDS = 30
"""Seconds that a request waits for its predictions."""
DEPLOYED = "production"
"""The alias by which a model is asked whose name alone is given, if there is such an alias."""
_ENDINGS = {"expired": Expired, "cancelled": Cancelled}


class AnsweredRows(msgspec.Struct, frozen=True):
    """A prediction that succeeded."""

    id: str
    predictions: list[Any]
    receipt: Receipt


class Asking:
    """Submits rows and waits for their predictions."""

    def __init__(self, gateway: Gateway, registry: Registry, settings: Settings) -> None:
        self._gateway, self._registry, self._settings = gateway, registry, settings
        self._waiting = ConcurrencyLimit(settings.threads // 4)

    def reference(self, model: str) -> str:
        """What a name means: the deployed version, else the latest one."""
        found = parse_reference(model)
        is_bare = found.alias is None and found.version is None
        if is_bare and DEPLOYED in self._registry.aliases(found.name):
            return f"{model}@{DEPLOYED}"
        return model

    def ask(self, model: str, features: Any, method: str = "predict") -> AnsweredRows:
        """The predictions of rows.

        Raises what a submission raises, what the prediction ended with, and `TimedOut` if it has
        no outcome in time.
        """
        submission = Submission(model=model, features=features, method=method)
        prediction = prepare_prediction(submission, self._registry, self._settings)
        with self._waiting.one() as free:
            if not free:
                raise Busy
            record = self._gateway.submit(prediction)
            record = self._gateway.wait(record.task_id, WAIT_SECONDS)
        return _answered(record)


def _answered(record: Record) -> AnsweredRows:
    if record.receipt is not None and record.result is not None:
        return AnsweredRows(record.task_id, record.result, record.receipt)
    if record.error is not None:
        raise kind_of(record.error.code)(record.error.message)
    if record.is_terminal:
        raise _ENDINGS.get(record.state, PredictqError)
    raise TimedOut(f"there is no outcome yet: GET /predict/result/{record.task_id} has it later")


def timestamp() -> str:
    """The present time as RFC 3339 text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
