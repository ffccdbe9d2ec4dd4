"""What a caller sees: models by the globs of its key, predictions by its tenant, too.

What it does not see is answered as what does not exist.
"""

import re

from tasks.callers.caller import EVERY_MODEL, Caller
from tasks.record import Record
from telemetry.errors import ModelNotFound, PredictionNotFound


def check_seen(caller: Caller, reference: str) -> None:
    """Raise `ModelNotFound` unless the caller sees the model that a reference names."""
    if caller.models == EVERY_MODEL:
        return
    name = re.split("[@:]", reference)[0]
    if not caller.sees(name):
        raise ModelNotFound(f"there is no model {name!r}")


def seen(caller: Caller, record: Record) -> Record:
    """The record; raises `PredictionNotFound` unless the caller sees it."""
    if not record.is_seen_by(caller):
        raise PredictionNotFound
    return record
