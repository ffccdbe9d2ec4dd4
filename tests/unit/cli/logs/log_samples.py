"""Lines as the processes of a stack write them."""

import json
from datetime import UTC, datetime

BEGIN = 1_790_000_000.0


def line(second: float, event: str = "it failed", level: str = "warning", **fields: object) -> str:
    at = datetime.fromtimestamp(BEGIN + second, UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"event": event, "level": level, **fields, "timestamp": at, "process": "w"})
