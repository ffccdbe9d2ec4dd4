"""The key layout."""

RECORD = "celery-task-meta-"
"""Followed by the id: the record, where a stock result backend looks for it."""
ATTEMPTS = "predictq:attempts"
"""Hash id → computations started, until the outcome is written."""
STATISTICS = "predictq:statistics:"
"""Followed by model:version: hash of counts and of the latency histogram."""
WORKERS_SEEN = "predictq:workers:seen"
"""Sorted set worker → Redis's seconds at its last sign of life."""
WORKERS = "predictq:workers"
"""Hash worker → its description."""
IDEMPOTENCY = "predictq:idempotency:"
"""Followed by the caller's key: hash of the id given out for it and the payload's fingerprint."""
LOADED = "predictq:loaded:"
"""Followed by the worker: set of the model:version that its processes hold."""
UNACKED = "unacked"
"""Kombu's hash of messages that were reserved and not yet acknowledged."""


def record(task_id: str) -> str:
    """Where the record of one prediction lies."""
    return RECORD + task_id
