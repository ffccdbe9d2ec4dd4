"""The model's answers to a block of rows: predictions for good rows, errors for bad ones."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa

from telemetry.errors import PredictqError, WorkerLost
from workers.compute.bisection import BISECTED_ERRORS, bisected
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.job_model import Answers, Model, joined_answers
from workers.jobs.tables.output.columns import columns, empty_columns, output
from workers.jobs.tables.spans import BadRow, Block
from workers.models.tabular.columns import Array

Piece = tuple[range, Answers | PredictqError]
"""Good rows asked for in one call, and the answers or the error of the model."""


class AnsweredBlock(msgspec.Struct, frozen=True):
    """A block, and the answers and errors of its rows."""

    block: Block
    columns: Mapping[str, pa.Array]
    """The output columns by name, for the answered rows; empty if there are none."""
    pieces: list[range]
    """The answered rows, as ranges over the block's good rows."""
    bad: list[BadRow]
    """All other rows, ascending by line."""
    raised: PredictqError | None = None
    """The model's first error, if it raised one."""

    def table(self, names: Sequence[str]) -> pa.Table:
        """All rows of the block, in order; predictions for bad rows are null.

        ``names`` are the prediction columns if no row was answered. Raises as `output`.
        """
        good = self.block.good[_indexes(self.pieces)]
        return output(self.block, good, self.columns or empty_columns(names))


def ask_rows(model: Model, block: Block, journal: CrashJournal, attempt: int) -> list[Piece]:
    """Ask the model for all good rows except those that crash the process, in order.

    If the model raises, the rows are halved until the guilty ones fail alone.
    """
    found: list[Piece] = []
    journal.narrow(
        len(block.good), attempt, lambda rows: found.extend(ask_model(model, block, rows))
    )
    # After crashes the journal asks in another order; the output has that of the input.
    return sorted(found, key=lambda piece: piece[0].start)


def ask_model(model: Model, block: Block, rows: range) -> list[Piece]:
    """The model's answers to some good rows, by the pieces in which it was asked."""
    if not rows:
        return []
    return [
        *bisected(rows, lambda part: model.answer(block.features, slice(part.start, part.stop)))
    ]


def answer_block(model: Model, block: Block, found: Sequence[Piece]) -> AnsweredBlock:
    """The result of a block from the model's answers. Good rows without an answer are deadly.

    Raises errors for which no row is to blame, such as a full memory.
    """
    # A row that neither was answered nor raised is one that the journal has left out.
    answers: list[Answers] = []
    answered: list[range] = []
    raised: PredictqError | None = None
    bad = [*block.bad, *_deadly(block, [rows for rows, _ in found])]
    for rows, said in found:
        if not isinstance(said, PredictqError):
            answers.append(said)
            answered.append(rows)
        elif isinstance(said, BISECTED_ERRORS):
            bad += [_bad(block, row, said) for row in rows]
            raised = raised or said
        else:
            # Such as a model that cannot be loaded: no row is to blame, so the step is retried.
            raise said
    made = columns(model.manifest.signature, joined_answers(answers)) if answers else {}
    return AnsweredBlock(block, made, answered, sorted(bad, key=lambda row: row.line), raised)


def _deadly(block: Block, lived: Sequence[range]) -> list[BadRow]:
    deadly = np.ones(len(block.good), bool)
    deadly[_indexes(lived)] = False
    return [_bad(block, int(row), WorkerLost()) for row in np.flatnonzero(deadly)]


def _indexes(ranges: Sequence[range]) -> Array:
    return np.concatenate([np.arange(0), *(np.arange(r.start, r.stop) for r in ranges)])


def _bad(block: Block, row: int, error: PredictqError) -> BadRow:
    return block.bad_row(int(block.good[row]), error.code, error.message)
