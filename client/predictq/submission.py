"""The request body of a prediction."""

from typing import Any

from predictq.arguments import seconds, text
from predictq.rows.rows import features


def submission(model: str, rows: Any, method: str, clocks: dict[str, Any]) -> dict[str, Any]:
    """The body of a submission; ``clocks`` (time limits) that are None are left out.

    Raises `InvalidRequest` for a wrong argument.
    """
    given = {name: seconds(name, limit) for name, limit in clocks.items() if limit is not None}
    said = {"model": text("model", model), "method": text("method", method)}
    return said | {"features": features(rows)} | given
