"""The answers of create.lua, which accepts batch jobs."""

from typing import Any

from tasks.ledger.pauses.pauses import paused_error
from telemetry.errors import IdempotencyConflict, QueueFull

RETRY_AFTER_SECONDS = 60
"""Seconds of ``Retry-After`` when there are too many jobs."""


def accepted_job(answer: bytes | list[Any], version: str, live: int, kept: int) -> str:
    """The accepted id, from the script's answer; raises the error of a refusal."""
    match answer:
        case bytes():
            return answer.decode()
        case [b"live"]:
            detail = (
                f"{live} batch jobs are running, which is the limit: wait until one has ended, "
                "or cancel one"
            )
            raise QueueFull(detail, retry_after=RETRY_AFTER_SECONDS)
        case [b"kept"]:
            detail = (
                f"{kept} batch jobs are stored, which is the limit: delete some that have ended"
            )
            raise QueueFull(detail, retry_after=RETRY_AFTER_SECONDS)
        case [b"paused", seconds, pause]:
            raise paused_error(version, seconds, pause)
        case _:
            raise IdempotencyConflict
