"""What a model answers to a block: the rows that it answers, and why it does not answer others."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

import msgspec
import numpy as np
import pyarrow as pa

from telemetry.errors import PredictqError, WorkerLost
from workers.bisection import GUILT, pieces
from workers.files.answers import columns, nothing
from workers.files.outcome import output
from workers.files.spans import BadRow, Block
from workers.jobs.journal import Journal
from workers.jobs.model import Answers, Model, joined
from workers.rows.columns import Array


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


def answer(model: Model, block: Block, together: Sequence[range]) -> Answered:
    """Ask the model; where it raises, halves of the block, until the guilty rows fail alone.

    ``together`` are the good rows that may be asked, by the ranges in which they may be. Raises
    what no row is to blame for.
    """
    answers: list[Answers] = []
    answered: list[range] = []
    raised: PredictqError | None = None
    bad = [*block.bad, *_deadly(block, together)]
    for rows, found in _pieces(model, block, together):
        if not isinstance(found, PredictqError):
            answers.append(found)
            answered.append(rows)
        elif isinstance(found, GUILT):
            bad += [_bad(block, row, found) for row in rows]
            raised = raised or found
        else:
            raise found
    made = columns(model.manifest.signature, joined(answers)) if answers else {}
    return Answered(block, made, answered, sorted(bad, key=lambda row: row.line), raised)


def survivors(model: Model, block: Block, journal: Journal, attempt: int) -> list[range]:
    """The good rows that no process dies of, by ranges that may be asked together."""
    return journal.narrow(len(block.good), attempt, lambda rows: _try(model, block, rows))


def _try(model: Model, block: Block, rows: range) -> None:
    with suppress(PredictqError):  # whatever it says, its process lives
        _ask(model, block, rows)


def _pieces(
    model: Model, block: Block, together: Sequence[range]
) -> Iterator[tuple[range, Answers | PredictqError]]:
    for rows in filter(None, together):
        yield from pieces(rows, lambda rows: _ask(model, block, rows))


def _ask(model: Model, block: Block, rows: range) -> Answers:
    return model.answer(block.features, slice(rows.start, rows.stop))


def _deadly(block: Block, together: Sequence[range]) -> list[BadRow]:
    deadly = np.ones(len(block.good), bool)
    deadly[_places(together)] = False
    return [_bad(block, int(row), WorkerLost()) for row in np.flatnonzero(deadly)]


def _places(ranges: Sequence[range]) -> Array:
    return np.concatenate([np.arange(0), *(np.arange(r.start, r.stop) for r in ranges)])


def _bad(block: Block, row: int, error: PredictqError) -> BadRow:
    return block.bad_row(int(block.good[row]), error.code, error.message)
