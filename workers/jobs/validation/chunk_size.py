"""The size of a job's chunks, from the speed of its model on the first rows."""

import math
import time
from typing import Any

import msgspec

from workers.jobs.job_model import Model, rows_in

SMALL_CALL_ROWS, LARGE_CALL_ROWS = 100, 1000
"""Rows of the two calls that are timed; their difference separates a call's fixed overhead."""
CHUNK_SECONDS = 1.5
"""Seconds that a chunk should take."""
MIN_CHUNK_SECONDS = 0.1
"""Seconds below which a chunk is not worth its overhead."""
SURE_RATIO = 4
"""How many times what the slope alone predicts the large call may take; if it takes longer,
overhead dominates, and we measure again."""
MAX_RATIO = 50
"""The slope is never taken to be less than 1/`MAX_RATIO` of the time per row."""
MAX_MEASUREMENTS = 3
"""Most measurements if overhead dominates."""
LONG_CALL_SECONDS = 0.2
"""Seconds of a call that is not measured again."""
CHUNKS_PER_PROCESS = 8
"""Chunks per process, unless they would be too short, so that no process idles at the end."""
MAX_CHUNK_BYTES = 16 * 2**20
"""Most bytes of numbers in a chunk."""


class Speed(msgspec.Struct, frozen=True):
    """The speed of a model in one process."""

    per_row: float
    """Seconds per row in large chunks."""
    size: float
    """Size of a row in the unit of spans: bytes, or rows."""

    @property
    def rows_per_second(self) -> float:
        """Rows a second in large chunks."""
        return 1 / self.per_row


def measure(model: Model, features: Any, rows: range, size: float) -> Speed:
    """Time the model on rows that it has accepted together before; ``size``: as `Speed.size`."""
    some, more = rows[:SMALL_CALL_ROWS], rows[:LARGE_CALL_ROWS]
    few, many, each = math.inf, math.inf, 0.0
    for _ in range(MAX_MEASUREMENTS):  # keep the fastest run: other load only makes calls slower
        few = min(few, _seconds(model, features, some))
        many = min(many, _seconds(model, features, more))
        each = (many - few) / max(len(more) - len(some), 1)
        if some == more or many > LONG_CALL_SECONDS or each * len(more) > many / SURE_RATIO:
            break
    # Clocks are inexact, so do not believe a slope far below the average time per row.
    return Speed(max(each, many / len(more) / MAX_RATIO), size)


def _seconds(model: Model, features: Any, rows: range) -> float:
    started = time.perf_counter()
    model.answer(features, slice(rows.start, rows.stop))
    return time.perf_counter() - started


def rows_per_chunk(speed: Speed, width: int, total: float, processes: int) -> int:
    """Rows that take about `CHUNK_SECONDS` seconds, or fewer if the job is short.

    ``width`` is the number of features; ``total`` is the input's size, in the unit of
    `Speed.size`.
    """
    most = rows_in(MAX_CHUNK_BYTES, width)
    share = total / speed.size / (processes * CHUNKS_PER_PROCESS)
    wanted = min(CHUNK_SECONDS / speed.per_row, max(share, MIN_CHUNK_SECONDS / speed.per_row), most)
    return int(max(wanted, 1))
