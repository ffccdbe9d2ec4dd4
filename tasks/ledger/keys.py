"""The key layout."""

RECORD = "celery-task-meta-"
"""Followed by the id: the record, where a stock result backend looks for it."""
QUEUED = "predictq:queued:"
"""Followed by the queue: hash of what waits, of messages that left it, and how fast."""
RESERVED = "predictq:reserved"
"""Hash tag → message that a worker took and that is not settled."""
DUE = "predictq:reserved:due"
"""Sorted set tag → Redis's seconds at which the message goes back to its queue."""
DEAD_LETTERS = "predictq:dead-letters"
"""Hash id → dead letter, JSON."""
DEAD_LETTER_TIMES = "predictq:dead-letters:times"
"""Sorted set id → Redis's seconds when it died."""
DEAD_LETTER_TOTALS = "predictq:dead-letters:totals"
"""Hash: bytes of the letters that are there, and how many were ever buried and dropped."""
REPLAYED = "predictq:replayed:"
"""Followed by the id of a dead letter that was replayed of late: the id of its prediction."""
PAUSED = "predictq:paused"
"""Hash model:version → why it is paused since when, and when a probe is let through, JSON."""
PARKED = "predictq:parked:"
"""Followed by model:version: list of the messages that wait for the end of its pause."""
UNPARKING = "predictq:unparking"
"""Hash model:version → how many messages had left which queue when a slice of what was parked went
back there; it tells when the next slice may. Of versions whose pause is over."""
TROUBLES = "predictq:troubles:"
"""Followed by model:version: hash of its failures of late, and of how long its last pause was."""
ATTEMPTS = "predictq:attempts"
"""Hash id → computations started, until the outcome is written; see postpone.lua."""
STATISTICS = "predictq:statistics:"
"""Followed by model:version: hash of counts and of the latency histogram."""
ANSWERED = "predictq:answered"
"""Set of model:version: those that have statistics."""
WORKERS_SEEN = "predictq:workers:seen"
"""Sorted set worker → Redis's seconds at its last sign of life."""
WORKERS = "predictq:workers"
"""Hash worker → its description."""
CANARY_RESULTS = "predictq:canary"
"""Hash queue → what became of its latest canary."""
IDEMPOTENCY = "predictq:idempotency:"
"""Followed by the caller's key: hash of the id given out for it and the payload's fingerprint."""

JOB = "predictq:job:"
"""Followed by the id of a batch job: hash of what is known of it; see tasks/jobs/scripts/jobs.lua.
With ``:chunks`` hash chunk → what it came to; with ``:flying`` hash step → rows that are computed,
0 where its message waits."""
JOBS = "predictq:jobs"
"""Sorted set id of a batch job → Redis's seconds when it was created."""


JOBS_LIVE = "predictq:jobs:live"
"""Set of ids of the batch jobs that have not ended."""
JOBS_STACK = "predictq:jobs:stack"
"""The id that stands in the folder of the jobs' files, too, where that is this Redis's."""
JOB_IDEMPOTENCY = "predictq:job-idempotency:"
"""Followed by the caller's key: hash of the id of the job made for it and the order's
fingerprint."""


def record(task_id: str) -> str:
    """Where the record of one prediction lies."""
    return RECORD + task_id
