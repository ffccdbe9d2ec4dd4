"""The key layout in Redis."""

RECORD = "celery-task-meta-"
"""Plus the id: the record, under the key that a stock result backend reads."""
QUEUED = "predictq:queued:"
"""Plus the queue: hash of the rows and bytes that wait, messages taken, and the drain rate."""
OUTCOMES = "predictq:outcomes:"
"""Plus the mark in an id: a channel on which its outcome is published, behind the id, for the
process that waits for it. Longer outcomes than 64 KiB are left out."""
EVENTS = "predictq:events"
"""Stream of outcomes as they come, while `FOLLOWED` exists: id, status, and model:version. Also the
channel on which each addition is published. An entry with `start` alone marks the beginning."""
FOLLOWED = "predictq:events:followed"
"""Exists while callers follow events, and for a minute after."""
RESERVED = "predictq:reserved"
"""Hash tag → message that a worker holds and has not settled."""
DUE = "predictq:reserved:due"
"""Sorted set tag → Redis's seconds at which the reservation ends."""
DEAD_LETTERS = "predictq:dead-letters"
"""Hash id → dead letter, JSON."""
DEAD_LETTER_TIMES = "predictq:dead-letters:times"
"""Sorted set id → Redis's seconds at which the letter was buried."""
DEAD_LETTER_TOTALS = "predictq:dead-letters:totals"
"""Hash: bytes kept, and how many letters were ever buried and dropped."""
REPLAYED = "predictq:replayed:"
"""Plus the id of a dead letter replayed within the hour: the id of its prediction."""
PAUSED = "predictq:paused"
"""Hash model:version → its pause as JSON: reason, start, and the time of the next probe."""
PARKED = "predictq:parked:"
"""Plus model:version: list of the messages parked until its pause ends."""
UNPARKING = "predictq:unparking"
"""Hash model:version → "taken queue": the queue's ``taken`` before a slice of parked messages went
back to it, which lowers it. The next slice follows once ``taken`` has reached that number again."""
TROUBLES = "predictq:troubles:"
"""Plus model:version: hash of its recent failures and the wait of its last pause."""
ATTEMPTS = "predictq:attempts"
"""Hash id → attempts started, until the outcome is written; stored as attempts.lua says."""
STATISTICS = "predictq:statistics:"
"""Plus model:version: hash of outcome counts and the latency histogram."""
ANSWERED = "predictq:answered"
"""Set of each model:version that has statistics."""
WORKERS_SEEN = "predictq:workers:seen"
"""Sorted set worker → Redis's seconds of its last heartbeat."""
WORKERS = "predictq:workers"
"""Hash worker → its description as JSON."""
DIRECTIVES = "predictq:directives"
"""Stream of what all workers are told to do once: act, and model:version."""
UNLOADED = "predictq:unloaded"
"""Set of each model:version that workers were last told to unload."""
CANARY_RESULTS = "predictq:canary"
"""Hash queue → its latest successful canary, JSON."""
IDEMPOTENCY = "predictq:idempotency:"
"""Plus the caller's key: hash of the id given out for it and the payload's fingerprint."""

JOB = "predictq:job:"
"""Plus the id of a batch job: its hash; for the fields see tasks/jobs/scripts/jobs.lua.
``<key>:chunks``: hash chunk → its outcome. ``<key>:flying``: hash step → rows being computed, 0
while its message waits. ``<key>:revisits``: sorted set of chunks that are to be pushed again."""
JOBS = "predictq:jobs"
"""Sorted set id of a batch job → Redis's seconds at its creation."""


JOBS_LIVE = "predictq:jobs:live"
"""Set of ids of batch jobs that have not ended."""
JOBS_STACK = "predictq:jobs:stack"
"""An id that ties this Redis to the folder of the jobs' files, which holds the same one."""
JOB_IDEMPOTENCY = "predictq:job-idempotency:"
"""Plus the caller's key: hash of the id of its job and the job request's fingerprint."""
API_KEYS = "predictq:keys"
"""Hash id of an API key → what is stored of it, JSON; its secrets only as hashes."""
API_KEYS_USED = "predictq:keys:used"
"""Hash id of an API key → Unix seconds of its last use, to a minute."""
CONSOLE_CODES = "predictq:console:codes:"
"""Plus the hash of a one-time code, by which a viewer signs in to the console."""
CONSOLE_SESSIONS = "predictq:console:sessions:"
"""Plus the hash of a session's cookie: the Unix seconds at which the session ends."""


def record(task_id: str) -> str:
    """The key of a prediction's record."""
    return RECORD + task_id


def queue_of_tag(tag: str) -> str:
    """The queue of a reservation's tag; tags.lua says how tags are spelt."""
    return tag.rpartition(":")[0]
