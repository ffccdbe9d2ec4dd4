"""The key layout."""

RECORD = "celery-task-meta-"
"""Followed by the id: the record, where a stock result backend looks for it."""
QUEUED = "predictq:queued:"
"""Followed by the queue: hash of rows and bytes that wait, and of messages reserved so far."""
RESERVED = "predictq:reserved"
"""Hash tag → message that a worker took and that is not settled."""
DUE = "predictq:reserved:due"
"""Sorted set tag → Redis's seconds at which the message goes back to its queue."""
DEAD_LETTERS = "predictq:dead-letters"
"""List of messages that cannot be read, newest first, each with the reason."""
ATTEMPTS = "predictq:attempts"
"""Hash id → computations started, until the outcome is written; see postpone.lua."""
STATISTICS = "predictq:statistics:"
"""Followed by model:version: hash of counts and of the latency histogram."""
WORKERS_SEEN = "predictq:workers:seen"
"""Sorted set worker → Redis's seconds at its last sign of life."""
WORKERS = "predictq:workers"
"""Hash worker → its description."""
IDEMPOTENCY = "predictq:idempotency:"
"""Followed by the caller's key: hash of the id given out for it and the payload's fingerprint."""


def record(task_id: str) -> str:
    """Where the record of one prediction lies."""
    return RECORD + task_id
