"""`python -m benchmarks.logs`: writes 500 MB of logs, and prints what searches of them cost."""

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.logs.criteria import Criteria
from cli.logs.searching import search
from stack.rotation import KEPT_FILES, MAX_LOG_BYTES, kept_log

LOGS = ("api", "bulk", "predict-churn", "predict-iris", "watch", "webhooks", "worker")
LINES = 53_000
"""In a file: 16 MiB."""
HOURS = 12
"""That each file covers."""
EVENT = "a prediction failed: ValueError: could not convert string to float: 'unknown city'"


def main() -> None:
    """Write and measure, and print."""
    with tempfile.TemporaryDirectory() as directory:
        home, now = Path(directory), time.time()
        written = _write(home, now)
        print(f"{written / 1e6:.0f} MB, {LINES * len(LOGS) * (KEPT_FILES + 1):,} lines")
        for what, limit, criteria in (
            ("the newest 100 lines", 100, {}),
            ("a minute, 30 hours ago", 10**6, {"since": now - 108_000, "until": now - 107_940}),
            ("an id of the last hour", 100, {"since": now - 3600, "id": "none"}),
            ("an id, at any time", 100, {"id": "none"}),
            ("errors: one line in 10,000", 10**6, {"level": "error"}),
            ("errors of one model", 10**6, {"level": "error", "model": "churn:3"}),
        ):
            _measure(home, what, limit, criteria)


def _measure(home: Path, what: str, limit: int, criteria: dict[str, Any]) -> None:
    began = time.process_time()
    found = search(home, Criteria(**criteria), limit)
    print(f"{what}: {len(found)} found, {time.process_time() - began:.3f} s")


def _write(home: Path, now: float) -> int:
    (home / "logs").mkdir()
    written = 0
    for log in LOGS:
        for number in range(KEPT_FILES + 1):
            path = home / "logs" / f"{log}.log"
            path = kept_log(path, number) if number else path
            text = "\n".join(_line(now, number, index) for index in range(LINES))
            written += path.write_text(f"{text}\n"[-MAX_LOG_BYTES:])
    return written


def _line(now: float, number: int, index: int) -> str:
    at = now - 3600 * HOURS * (number + 1 - index / LINES)
    fields = {
        "event": EVENT,
        "level": "warning" if index % 10_000 else "error",
        "logger": "workers.compute.disposition",
        "id": f"01a22dd7-5f95-768c-{number:04x}-{index:012x}",
        "model": ("churn", "iris")[index % 2],
        "version": index % 4,
        "attempt": 1,
        "timestamp": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        "process": "worker",
    }
    return json.dumps(fields)


main()
