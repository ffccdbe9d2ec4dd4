"""Attempts of predictions: the calls of start.lua and postpone.lua, and what their answers mean."""

import enum
from collections.abc import Sequence
from typing import Any, Literal

from tasks.ledger import keys
from tasks.time_limits import MAX_ATTEMPTS


class NotStarted(enum.Enum):
    """Why a message does not start; the values are the words of start.lua."""

    DONE = b"done"
    """It has its outcome, had one long ago, or went back to the queue: there is nothing to do."""
    SUSPECT = b"suspect"
    """It is a suspect, and its microbatch has other messages: it must start alone."""
    LATE = b"late"
    """Its queue deadline has passed: it is only settled."""


Start = int | NotStarted
"""The number of the attempt that starts, from 1, or why none does."""
Postponement = Literal["postponed", "last", "gone"]
"""``last``: the attempts are used up, and nothing was done. ``gone``: the prediction has its
outcome, or another worker holds the message."""

_STATE = keys.ATTEMPTS, keys.RESERVED, keys.DUE


def start_call(
    tagged_ids: Sequence[tuple[str, str]], deadlines: Sequence[float | None], *, again: bool
) -> tuple[list[str], list[Any]]:
    """Keys and arguments of start.lua; see `Ledger.start`."""
    tags, ids = zip(*tagged_ids, strict=True)
    times = ("" if deadline is None else deadline for deadline in deadlines)
    return [*_STATE, *map(keys.record, ids)], [int(again), *tags, *ids, *times]


def read_start_answer(answer: Sequence[int | bytes]) -> list[Start]:
    """What each message does, from the answer of start.lua."""
    return [told if isinstance(told, int) else NotStarted(told) for told in answer]


def postpone_call(
    tagged_ids: Sequence[tuple[str, str]], *, suspect: bool, backoff: float, has_records: bool
) -> tuple[list[str], list[Any]]:
    """Keys and arguments of postpone.lua; steps of batch jobs have no records."""
    tags, ids = zip(*tagged_ids, strict=True)
    records = map(keys.record, ids) if has_records else ()
    return [*_STATE, *records], [backoff, MAX_ATTEMPTS, int(suspect), *tags, *ids]
