"""The log format of all processes: one JSON object a line, on standard error."""

import logging
import sys
from typing import Any

import structlog

from telemetry.tracing.traceparent import sampled_context

MAX_FIELD_CHARS = 8 * 2**10
"""Longest field in characters; the rest is cut off."""

_SHARED = (
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def failure(
    id: str,
    model: str,
    version: int,
    attempt: int,
    tenant: str,
    traceback: str | None,
    traceparent: object = "",
) -> dict[str, Any]:
    """The fields of a log line about a failed prediction or job of a tenant.

    ``traceparent``: of the span that sent it, if that is sampled.
    """
    fields: dict[str, Any] = {
        "id": id,
        "model": model,
        "version": version,
        "attempt": attempt,
        "tenant": tenant,
    }
    fields |= of_trace(traceparent)
    return fields | {"traceback": traceback} if traceback else fields


def of_trace(traceparent: object) -> dict[str, Any]:
    """The fields that lead from a log line to a trace; none if the span is not sampled."""
    sent = sampled_context(traceparent)
    return {"trace_id": sent.trace_id} if sent else {}


def of_version(reference: str) -> dict[str, Any]:
    """The fields of a log line about a ``name:version``."""
    model, _, version = reference.partition(":")
    return {"model": model, "version": int(version)}


def configure(process: str) -> None:
    """Send all log lines of this process, the libraries' too, through this format."""

    def name_process(
        _: object, __: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["process"] = process
        return event

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            name_process,
            structlog.processors.format_exc_info,
            _bound,
            structlog.processors.JSONRenderer(default=str),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Celery logs two lines per task; at a thousand tasks a second, that takes most of the time.
    for chatty in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _bound(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Bound each field: model errors and messages may be of any length."""
    for name, value in event.items():
        if isinstance(value, str) and len(value) > MAX_FIELD_CHARS:
            event[name] = f"{value[:MAX_FIELD_CHARS]}…"
    return event
