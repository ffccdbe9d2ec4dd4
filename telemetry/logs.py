"""The log format of all processes: one JSON object a line, on standard error."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

MAX_FIELD_CHARS = 8 * 2**10
"""Longest field in characters; the rest is cut off."""

_OWN = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime"})
"""Attributes that each record has; all others are fields that `extra` gave it."""


def failure(
    id: str, model: str, version: int, attempt: int, traceback: str | None
) -> dict[str, Any]:
    """The fields of a log line about a failed prediction or job."""
    fields = {"id": id, "model": model, "version": version, "attempt": attempt}
    return fields | {"traceback": traceback} if traceback else fields


def of_version(reference: str) -> dict[str, Any]:
    """The fields of a log line about a ``name:version``."""
    model, _, version = reference.partition(":")
    return {"model": model, "version": int(version)}


def configure(process: str) -> None:
    """Send all log lines of this process, the libraries' too, through this format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Celery logs two lines per task; at a thousand tasks a second, that takes most of the time.
    for chatty in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object.

    It is our own because structlog takes a tenth of a CPU second to import, in each process.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`."""
        given = {name: value for name, value in vars(record).items() if name not in _OWN}
        fields = {"event": record.getMessage(), **given, **self._tracebacks(record)}
        fields |= {
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat()[:-6] + "Z",
            "process": self._process,
        }
        return json.dumps(_bounded(fields), default=str)

    def _tracebacks(self, record: logging.LogRecord) -> dict[str, str]:
        fields = {}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack_info"] = record.stack_info
        return fields


def _bounded(fields: dict[str, Any]) -> dict[str, Any]:
    """Bound each field: model errors and messages may be of any length."""
    return {name: _cut(value) for name, value in fields.items()}


def _cut(value: Any) -> Any:
    is_long = isinstance(value, str) and len(value) > MAX_FIELD_CHARS
    return f"{value[:MAX_FIELD_CHARS]}…" if is_long else value
