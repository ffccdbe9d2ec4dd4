"""What the script says that accepts batch jobs."""

from tasks.ledger.pauses.pauses import refusal
from telemetry.errors import IdempotencyConflict, QueueFull

RETRY = 60
"""Seconds after which to submit again where there are too many jobs."""


def accepted(told: bytes, version: str, live: int, kept: int) -> str:
    """The id that holds; raises what the job was refused for."""
    match told:
        case b"conflict":
            raise IdempotencyConflict
        case b"live":
            detail = f"{live} batch jobs are under way: wait until one has ended, or cancel one"
            raise QueueFull(detail, retry_after=RETRY)
        case b"kept":
            detail = f"{kept} batch jobs are kept: delete some that have ended"
            raise QueueFull(detail, retry_after=RETRY)
    if told.startswith(b"paused "):
        raise refusal(version, told)
    return told.decode()
