"""How large the chunks of a job are: by the speed of its model on the first rows."""

import math
import time
from typing import Any

import msgspec

from workers.jobs.job_model import Model, rows_in

FEW, MORE = 100, 1000
"""Rows that are tried; what a call costs for any number of rows shows in the difference."""
AIM = 1.5
"""Seconds that a chunk may take."""
MIN_CHUNK_SECONDS = 0.1
"""Seconds that a chunk is worth."""
SURE, DOUBT = 4, 50
"""How much more than its rows a call of `MORE` rows may cost: to be believed at once, and ever."""
TRIES, LONG = 3, 0.2
"""Where a call seems to cost so much more, unless it takes so many seconds."""
SHARES = 8
"""Chunks that each process should have of a job, where they are worth it: none waits at the end."""
MAX_CHUNK_BYTES = 16 * 2**20
"""Bytes of a chunk's numbers."""


class Speed(msgspec.Struct, frozen=True):
    """How long a model takes in one process."""

    per_row: float
    """Seconds, in large chunks."""
    size: float
    """Of a row in the file, in what spans are counted in: bytes, or rows."""

    @property
    def rows_per_second(self) -> float:
        """In the same."""
        return 1 / self.per_row


def measure(model: Model, features: Any, rows: range, size: float) -> Speed:
    """Try some rows that the model has taken together before.

    ``size`` is that of a row in the file.
    """
    some, more = rows[:FEW], rows[:MORE]
    few, many, each = math.inf, math.inf, 0.0
    for _ in range(TRIES):  # whatever else ran meanwhile made it slower
        few = min(few, _seconds(model, features, some))
        many = min(many, _seconds(model, features, more))
        each = (many - few) / max(len(more) - len(some), 1)
        if some == more or many > LONG or each * len(more) > many / SURE:
            break
    # A clock is not that exact: what a row costs is not much less than it seems.
    return Speed(max(each, many / len(more) / DOUBT), size)


def _seconds(model: Model, features: Any, rows: range) -> float:
    started = time.perf_counter()
    model.answer(features, slice(rows.start, rows.stop))
    return time.perf_counter() - started


def rows_per_chunk(speed: Speed, width: int, total: float, processes: int) -> int:
    """Rows that take about `AIM` seconds, fewer where the job is short.

    ``width`` is the number of features, ``total`` the size of the input, as `Speed.size`.
    """
    most = rows_in(MAX_CHUNK_BYTES, width)
    share = total / speed.size / (processes * SHARES)
    wanted = min(AIM / speed.per_row, max(share, MIN_CHUNK_SECONDS / speed.per_row), most)
    return int(max(wanted, 1))
