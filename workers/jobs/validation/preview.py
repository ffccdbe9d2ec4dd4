"""Tries the model on the first rows of the input: whether it accepts them, and its speed."""

from itertools import islice

import msgspec

from tasks.jobs.files.naming import Format
from telemetry.errors import InvalidInput
from workers.jobs.block_answers import answer_block, ask_rows
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.job_model import Model
from workers.jobs.tables.output.encoding import refuse_unwritable
from workers.jobs.tables.spans import BadRow, Block, Source, Span
from workers.jobs.validation.chunk_size import LARGE_CALL_ROWS, Speed, measure

MAX_TRIED_BLOCKS = 100
"""Blocks searched for a first good row; without one, the file is not meant for the model."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Results of the trial."""

    errors: list[BadRow]
    speed: Speed
    has_ids: bool
    answers: tuple[str, ...]
    """Columns of the output that hold predictions."""


def preview_first_rows(
    source: Source, model: Model, journal: CrashJournal, attempt: int, written: Format
) -> Preview:
    """Read and compute the first rows.

    ``written`` is the output's format. Raises `InvalidInput` if none of them can be scored, or
    their predictions cannot be written in that format.
    """
    span, block, bad = _first_good(source)
    answered = answer_block(model, block, ask_rows(model, block, journal, attempt))
    errors = [*bad, *answered.bad]
    if not answered.pieces:
        raise _hopeless(errors)
    # Fail now on columns that clash with the input's or that the output format cannot hold.
    refuse_unwritable(answered.table(()), written)
    size = (span.stop - span.start) / span.rows
    # Measure on the longest piece that the model accepted as a whole: a call that fails may end
    # early, and tells no speed.
    speed = measure(model, block.features, max(answered.pieces, key=len), size)
    return Preview(
        errors=errors,
        speed=speed,
        has_ids=block.ids is not None,
        answers=tuple(answered.columns),
    )


def _first_good(source: Source) -> tuple[Span, Block, list[BadRow]]:
    """The first block with a good row, and the bad rows before it; raises `InvalidInput`."""
    bad: list[BadRow] = []
    for span in islice(source.spans(LARGE_CALL_ROWS), MAX_TRIED_BLOCKS):
        block = source.read(span)
        if len(block.good):
            return span, block, bad
        bad += sorted(block.bad, key=lambda row: row.line)
    raise _hopeless(bad)


def _hopeless(errors: list[BadRow]) -> InvalidInput:
    first, many = errors[0], f"none of the first {len(errors)} rows"
    what = f"{many} can be scored; line {first.line}: {first.message}"
    return InvalidInput(what, line=first.line)
