"""The arguments of settle.lua: outcomes to write, count, and keep as dead letters."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tasks.ledger import keys
from tasks.ledger.dead_letters.letters import head
from tasks.ledger.statistics import bucket
from tasks.record import Record
from tasks.wire import encode
from telemetry.errors import WorkerLost


class Settled(msgspec.Struct, frozen=True):
    """An outcome, and the message that it settles."""

    record: Record
    tag: str = ""
    """Of the reserved message; empty if the message is still queued or does not exist."""
    dead_after: int = 0
    """Attempts made, if the message becomes a dead letter; 0 if it does not."""

    @property
    def rows(self) -> int:
        """Rows answered."""
        return len(self.record.result) if self.record.state == "succeeded" else 0


def settling(
    version: str, outcomes: Sequence[Settled], open_heads: Sequence[bytes], result_ttl: int
) -> tuple[list[str], list[Any]]:
    """Keys and arguments of settle.lua, for outcomes of one model:version.

    Only records that begin with one of ``open_heads`` are overwritten.
    """
    ids = [settled.record.task_id for settled in outcomes]
    tags = [settled.tag for settled in outcomes]
    now, statistics = time.time(), keys.STATISTICS + version
    details: list[Any] = [part for settled in outcomes for part in _details(settled, now)]
    details += [part for at, s in enumerate(outcomes, 1) if s.dead_after for part in _dead(at, s)]
    return (
        [keys.RESERVED, keys.DUE, keys.ATTEMPTS, statistics, *map(keys.record, ids)],
        [result_ttl, *open_heads, *tags, *ids, *details],
    )


def _details(settled: Settled, now: float) -> tuple[bytes, str, int, str, int]:
    record, seconds = settled.record, max(now - settled.record.created_at, 0.0)
    return encode(record), record.state, settled.rows, f"{seconds:.6f}", bucket(seconds)


def _dead(place: int, settled: Settled) -> tuple[int, bytes, str, str, int]:
    """Arguments for one dead letter; the last is 1 if a pause may park it (not after a crash)."""
    record, error = settled.record, settled.record.error
    assert error  # noqa: S101 - only what failed leaves a dead letter
    queue, _, _ = settled.tag.rpartition(":")
    letter = head(
        id=record.task_id,
        queue=queue,
        model=record.reference,
        code=error.code,
        reason=error.message,
        attempts=settled.dead_after,
        accepted_at=record.created_at,
    )
    return place, letter, error.code, error.message, int(error.code != WorkerLost.code)
