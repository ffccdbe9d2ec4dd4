"""What a caller sees: models by the globs of its key, predictions by its tenant, too.

What it does not see is answered as what does not exist.
"""

from tasks.callers.caller import Caller
from tasks.record import Record
from telemetry.errors import ModelNotFound, PredictionNotFound


def check_seen(caller: Caller, model: str) -> None:
    """Raise `ModelNotFound` unless the caller sees the model."""
    if not caller.sees(model):
        raise ModelNotFound(f"there is no model {model!r}")


def seen(caller: Caller, record: Record) -> Record:
    """The record; raises `PredictionNotFound` unless the caller sees it."""
    if not record.is_seen_by(caller):
        raise PredictionNotFound
    return record
