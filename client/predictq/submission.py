"""The request body of a prediction."""

from typing import Any

from predictq.arguments import seconds, text
from predictq.rows.rows import features


def submission(model: str, rows: Any, method: str, limits: dict[str, Any]) -> dict[str, Any]:
    """The body of a submission; ``limits``, in seconds, that are None are left out.

    Raises `InvalidRequest` for a wrong argument.
    """
    said = defaults(model, method, limits)
    return {
        "model": said.pop("model"),
        "method": said.pop("method"),
        "features": features(rows),
    } | said


def defaults(model: str, method: str, limits: dict[str, Any]) -> dict[str, Any]:
    """All fields of a submission but its features; raises as `submission`."""
    given = {name: seconds(name, limit) for name, limit in limits.items() if limit is not None}
    return {"model": text("model", model), "method": text("method", method)} | given
