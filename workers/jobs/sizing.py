"""How large the chunks of a job are: by the speed of its model on the first rows."""

import time

import msgspec

from workers.files.spans import Block
from workers.jobs.model import Model

FEW, MORE = 100, 1000
"""Rows that are tried; what a call costs for any number of rows shows in the difference."""
AIM = 1.5
"""Seconds that a chunk may take."""
LEAST = 0.2
"""Seconds that a chunk is worth."""
SHARES = 8
"""Chunks that each process should have of a job, where they are worth it: none waits at the end."""
LARGEST = 64 * 2**20
"""Bytes of a chunk's numbers."""


class Speed(msgspec.Struct, frozen=True):
    """How long a model takes in one process."""

    seconds: float
    """For a call, whatever it holds."""
    per_row: float

    @property
    def rows_per_second(self) -> float:
        """In large chunks."""
        return 1 / self.per_row


def measure(model: Model, block: Block) -> Speed | None:
    """Try the first rows of a block; None where there is none. Raises what the model raises."""
    rows = len(block.good)
    if not rows:
        return None
    _seconds(model, block, min(FEW, rows))  # the first call prepares some things
    few, many = _seconds(model, block, min(FEW, rows)), _seconds(model, block, min(MORE, rows))
    spread = max(min(MORE, rows) - min(FEW, rows), 1)
    per_row = (many - few) / spread if rows > FEW else few / rows
    per_row = max(per_row, many / min(MORE, rows) / 50, 1e-7)
    return Speed(max(few - per_row * min(FEW, rows), 0.0), per_row)


def _seconds(model: Model, block: Block, rows: int) -> float:
    started = time.perf_counter()
    model.answer(block.features, slice(0, rows))
    return time.perf_counter() - started


def rows_per_chunk(speed: Speed | None, width: int, total: int | None, processes: int) -> int:
    """Rows that take about `AIM` seconds, fewer where the job is short."""
    most = max(LARGEST // (8 * max(width, 1)), 1)
    if speed is None:
        return most
    wanted = AIM / speed.per_row
    if total is not None:
        share = max(total / (processes * SHARES), LEAST / speed.per_row)
        wanted = min(wanted, share)
    return int(max(min(wanted, most), 1))
