"""What settle.lua is told of outcomes whose version was chosen by a split, see arms.lua."""

from collections.abc import Sequence
from typing import Any

import msgspec

from tasks.ledger.predictions.settled import Settled
from tasks.ledger.statistics import bucket
from tasks.record import Record
from telemetry.errors import Invalid, Malformed, NotFound, TooLarge, UnsupportedMediaType, kind_of

CALLERS_ERRORS = (Malformed, Invalid, NotFound, TooLarge, UnsupportedMediaType)
"""Errors for which no version is to blame."""


def told_of_arms(outcomes: Sequence[Settled]) -> bytes:
    """The outcomes and model calls of each split, as JSON; empty if no alias was split."""
    splits: dict[str, dict[str, Any]] = {}
    calls: set[tuple[str, int, float, int]] = set()
    for index, settled in enumerate(outcomes, 1):
        record = settled.record
        if record.arm and (failed := _failed(record)) is not None:
            split, share = f"{record.model}@{record.alias}", record.arm.share
            seen = splits.setdefault(split, {"outcomes": [], "calls": []})
            seen["outcomes"].append((index, share, record.arm.key, failed))
            if record.receipt:
                # All requests of one microbatch have the time of their common call.
                receipt = record.receipt
                calls.add((split, share, receipt.compute_ms, receipt.batch_size))
    for split, share, milliseconds, _ in calls:
        splits[split]["calls"].append((share, bucket(milliseconds / 1000)))
    return msgspec.json.encode(splits) if splits else b""


def _failed(record: Record) -> bool | None:
    """Whether the version failed; None if the outcome says nothing about it."""
    if record.state == "succeeded":
        return False
    if record.state != "failed" or record.error is None:
        return None
    return None if issubclass(kind_of(record.error.code), CALLERS_ERRORS) else True
