"""The request body of a prediction."""

from dataclasses import dataclass
from typing import Any

from predictq.arguments import seconds, setting, text
from predictq.rows.rows import features


@dataclass(frozen=True)
class Fields:
    """All fields of a submission but its features, as the caller gave them."""

    model: str
    method: str
    max_queue_seconds: float | None
    timeout_seconds: float | None
    sticky: str | None
    cache: bool | int | None
    priority: str | None = None


def submission(fields: Fields, rows: Any) -> dict[str, Any]:
    """The body of a submission; raises `InvalidRequest` for a wrong argument."""
    said = defaults(fields)
    return {
        "model": said.pop("model"),
        "method": said.pop("method"),
        "features": features(rows),
    } | said


def defaults(fields: Fields) -> dict[str, Any]:
    """The fields, without those that are None; raises as `submission`."""
    limits = {
        "max_queue_seconds": fields.max_queue_seconds,
        "timeout_seconds": fields.timeout_seconds,
    }
    given: dict[str, Any] = {
        name: seconds(name, limit) for name, limit in limits.items() if limit is not None
    }
    if fields.sticky is not None:
        given["sticky"] = text("sticky", fields.sticky)
    if fields.cache is not None:
        given["cache"] = setting("cache", fields.cache)
    if fields.priority is not None:
        given["priority"] = text("priority", fields.priority)
    return {"model": text("model", fields.model), "method": text("method", fields.method)} | given
