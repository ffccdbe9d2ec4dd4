"""The arguments of settle.lua: outcomes to write, count, and keep as dead letters."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from tasks.ledger import keys
from tasks.ledger.heads import letter_head
from tasks.ledger.predictions.arms import told_of_arms
from tasks.ledger.predictions.settled import Settled
from tasks.ledger.queue.reservations import queue_of_tag
from tasks.ledger.statistics import bucket
from tasks.record import Record
from tasks.wire import encode_finite
from telemetry.errors import WorkerLost


def settling(
    version: str, outcomes: Sequence[Settled], result_ttl: int
) -> tuple[list[str], list[Any]]:
    """Keys and arguments of settle.lua, for outcomes of one model:version."""
    return _called(version, outcomes, result_ttl, by_look_up=False)


def expiring(record: Record, result_ttl: int) -> tuple[list[str], list[Any]]:
    """Keys and arguments of settle.lua for a look-up, which finds that a queue deadline has passed.

    The script leaves a record that is running, or whose deadline has not passed by Redis's clock.
    """
    return _called(record.reference, [Settled(record.expired())], result_ttl, by_look_up=True)


def _called(
    version: str, outcomes: Sequence[Settled], result_ttl: int, *, by_look_up: bool
) -> tuple[list[str], list[Any]]:
    ids = [settled.record.task_id for settled in outcomes]
    tags = [settled.tag or "" for settled in outcomes]
    now, statistics = time.time(), keys.STATISTICS + version
    details: list[Any] = [part for settled in outcomes for part in _details(settled, now)]
    for index, settled in enumerate(outcomes, 1):
        if settled.tag is not None and settled.dead_after is not None:
            details += _dead(index, settled.record, settled.tag, settled.dead_after)
    counted = told_of_arms(outcomes), _told_of_tenants(outcomes)
    return (
        [keys.RESERVED, keys.DUE, keys.ATTEMPTS, statistics, *map(keys.record, ids)],
        [result_ttl, int(by_look_up), *counted, *tags, *ids, *details],
    )


def _told_of_tenants(outcomes: Sequence[Settled]) -> bytes:
    """The indexes, from 1, of the outcomes of each tenant as JSON; empty without tenants."""
    told: dict[str, list[int]] = {}
    for index, settled in enumerate(outcomes, 1):
        if settled.record.tenant:
            told.setdefault(settled.record.tenant, []).append(index)
    return msgspec.json.encode(told) if told else b""


def _details(settled: Settled, now: float) -> tuple[bytes, str, int, str, int]:
    # Not below 0: the clocks of front end and worker may differ.
    record, seconds = settled.record, max(now - settled.record.created_at, 0.0)
    # Infinities among predictions are spelled as texts.
    return encode_finite(record), record.state, settled.rows, f"{seconds:.6f}", bucket(seconds)


def _dead(index: int, record: Record, tag: str, attempts: int) -> tuple[int, bytes, str, str, int]:
    """Arguments for one dead letter; the last is 1 if a pause may park it (not after a crash)."""
    error = record.error
    assert error  # noqa: S101 - only what failed leaves a dead letter
    letter = letter_head(
        id=record.task_id,
        queue=queue_of_tag(tag),
        model=record.reference,
        code=error.code,
        reason=error.message,
        attempts=attempts,
        accepted_at=record.created_at,
    )
    return index, letter, error.code, error.message, int(error.code != WorkerLost.code)
