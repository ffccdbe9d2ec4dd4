"""What a model answers to a block: the rows that it answers, and why it does not answer others."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from telemetry.errors import PredictqError, WorkerLost
from workers.compute.bisection import GUILT, pieces
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.job_model import Answers, Model, joined
from workers.jobs.tables.output.columns import columns, nothing
from workers.jobs.tables.output.output_rows import output
from workers.jobs.tables.spans import BadRow, Block
from workers.models.tabular.columns import Array

Piece = tuple[range, Answers | PredictqError]
"""Good rows that were asked for together, and what the model said to them."""


class Answered(msgspec.Struct, frozen=True):
    """What came of a block."""

    block: Block
    columns: Mapping[str, pa.Array]
    """What the model answered, by name; empty where it answered no row."""
    pieces: list[range]
    """Which of the good rows that is, by what was asked for together."""
    bad: list[BadRow]
    """The other rows, ascending by line."""
    raised: PredictqError | None = None
    """The first error of the model, where it raised."""

    def table(self, names: Sequence[str]) -> pa.Table:
        """A row for each of the block, in order; of bad rows, what the model answered is null.

        ``names`` are those of the answers. Raises as `output`.
        """
        good = self.block.good[_places(self.pieces)]
        return output(self.block, good, self.columns or nothing(names))


def asked(model: Model, block: Block, journal: CrashJournal, attempt: int) -> list[Piece]:
    """Ask the model for all good rows but those that a process dies of, in order.

    A model that raises is asked for halves, until the guilty rows fail alone.
    """
    found: list[Piece] = []
    journal.narrow(len(block.good), attempt, lambda rows: found.extend(ask(model, block, rows)))
    return sorted(found, key=lambda piece: piece[0].start)


def ask(model: Model, block: Block, rows: range) -> list[Piece]:
    """What the model says to some good rows, by the pieces in which it was asked."""
    if not rows:
        return []
    return [*pieces(rows, lambda part: model.answer(block.features, slice(part.start, part.stop)))]


def answer(model: Model, block: Block, found: Sequence[Piece]) -> Answered:
    """What comes of a block by what the model said; good rows of no piece are deadly.

    Raises what no row is to blame for.
    """
    answers: list[Answers] = []
    answered: list[range] = []
    raised: PredictqError | None = None
    bad = [*block.bad, *_deadly(block, [rows for rows, _ in found])]
    for rows, said in found:
        if not isinstance(said, PredictqError):
            answers.append(said)
            answered.append(rows)
        elif isinstance(said, GUILT):
            bad += [_bad(block, row, said) for row in rows]
            raised = raised or said
        else:
            raise said
    made = columns(model.manifest.signature, joined(answers)) if answers else {}
    return Answered(block, made, answered, sorted(bad, key=lambda row: row.line), raised)


def _deadly(block: Block, lived: Sequence[range]) -> list[BadRow]:
    deadly = np.ones(len(block.good), bool)
    deadly[_places(lived)] = False
    return [_bad(block, int(row), WorkerLost()) for row in np.flatnonzero(deadly)]


def _places(ranges: Sequence[range]) -> Array:
    return np.concatenate([np.arange(0), *(np.arange(r.start, r.stop) for r in ranges)])


def _bad(block: Block, row: int, error: PredictqError) -> BadRow:
    return block.bad_row(int(block.good[row]), error.code, error.message)
