"""What a model answers to a block: the rows that it answers, and why it does not answer others."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa

from telemetry.errors import PredictqError, WorkerLost
from workers.bisection import GUILT, pieces
from workers.files.answers import columns, nothing
from workers.files.features import Array
from workers.files.outcome import output
from workers.files.spans import BadRow, Block
from workers.jobs.model import Answers, Model, joined


class Answered(msgspec.Struct, frozen=True):
    """What came of a block."""

    table: pa.Table
    """A row for each of the block, in order; of bad rows, what the model answered is null."""
    bad: list[BadRow]
    """Ascending by line."""
    rows: Array
    """Which of the good rows were answered."""


def answer(model: Model, block: Block, deadly: Sequence[int] = ()) -> Answered:
    """Ask the model; where it raises, halves of the block, until the guilty rows fail alone.

    ``deadly`` are those of the good rows that must not be asked. Raises what no row is to blame
    for.
    """
    answers: list[Answers] = []
    answered: list[Array] = []
    bad = [*block.bad, *(_bad(block, row, WorkerLost()) for row in deadly)]
    asked = np.setdiff1d(np.arange(len(block.good)), np.array(deadly, int), assume_unique=True)
    for rows, found in pieces(asked, lambda rows: model.answer(block.features, _run(rows))):
        if not isinstance(found, PredictqError):
            answers.append(found)
            answered.append(rows)
        elif isinstance(found, GUILT):
            bad += [_bad(block, row, found) for row in rows]
        else:
            raise found
    rows = np.concatenate(answered) if answered else asked[:0]
    signature = model.manifest.signature
    made = columns(signature, joined(answers), len(rows)) if len(rows) else None
    table = output(block, block.good[rows], made or nothing(signature, model.methods))
    return Answered(table, sorted(bad, key=lambda row: row.line), rows)


def _run(rows: Array) -> Array | slice:
    """Rows that follow each other are not copied."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(rows[0], rows[-1] + 1)
    return rows


def _bad(block: Block, row: int, error: PredictqError) -> BadRow:
    return block.bad_row(int(block.good[row]), error.code, error.message)
