"""The request body of a prediction."""

from typing import Any

from predictq.arguments import seconds, text
from predictq.rows.rows import features


def submission(model: str, rows: Any, method: str, limits: dict[str, Any]) -> dict[str, Any]:
    """The body of a submission; ``limits``, in seconds, that are None are left out.

    Raises `InvalidRequest` for a wrong argument.
    """
    given = {name: seconds(name, limit) for name, limit in limits.items() if limit is not None}
    said = {"model": text("model", model), "method": text("method", method)}
    return said | {"features": features(rows)} | given
