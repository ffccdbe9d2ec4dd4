"""Restricts callers to the models that their key sees, and to predictions of their tenant.

Models and predictions that a caller does not see are answered as if they did not exist.
"""

import re
from typing import Any

from tasks.callers.caller import Caller
from tasks.record import Record
from telemetry.errors import Forbidden, ModelNotFound, PredictionNotFound

_OF_VERSIONS = "loaded", "load_costs"
"""Fields of a worker's description that name versions."""


def check_seen(caller: Caller, reference: str) -> None:
    """Raise `ModelNotFound` unless the caller sees the model that a reference names."""
    if not sees_version(caller, reference):
        name = re.split("[@:]", reference)[0]
        raise ModelNotFound(f"there is no model {name!r}")


def sees_version(caller: Caller, reference: str) -> bool:
    """Whether the caller sees the model that a reference names."""
    return caller.sees_all or caller.sees(re.split("[@:]", reference)[0])


def require_every_model(caller: Caller) -> None:
    """Raise `Forbidden` unless the caller sees every model: what follows shows them all."""
    if not caller.sees_all:
        raise Forbidden(
            f"this request shows all models, but the caller {caller.name!r} sees only some"
        )


def seen_workers(caller: Caller, workers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Descriptions of workers without the versions that the caller does not see."""
    if caller.sees_all:
        return workers
    return [{**worker, **_seen_fields(caller, worker)} for worker in workers]


def _seen_fields(caller: Caller, worker: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in _OF_VERSIONS:
        versions = worker.get(name, [])
        seen_ones = [version for version in versions if sees_version(caller, version)]
        is_by_version = isinstance(versions, dict)
        found[name] = {v: versions[v] for v in seen_ones} if is_by_version else seen_ones
    return found


def seen(caller: Caller, record: Record) -> Record:
    """The record; raises `PredictionNotFound` unless the caller sees it."""
    if not record.is_seen_by(caller):
        raise PredictionNotFound
    return record
