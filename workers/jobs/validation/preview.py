"""What the model makes of the first rows: whether it takes them at all, and how fast it is."""

from itertools import islice

import msgspec

from tasks.jobs.files.naming import Format
from telemetry.errors import InvalidInput
from workers.jobs.block_answers import answer, asked
from workers.jobs.crash_bisect import CrashJournal
from workers.jobs.job_model import Model
from workers.jobs.tables.output.encoding import refuse_unwritable
from workers.jobs.tables.spans import BadRow, Block, Source, Span
from workers.jobs.validation.chunk_size import MORE, Speed, measure

LOOKS = 100
"""Blocks in which a row is looked for that can be given to the model: else it is another file."""


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    errors: list[BadRow]
    speed: Speed
    has_ids: bool
    answers: tuple[str, ...]
    """Columns that the answers make."""


def try_first(
    source: Source, model: Model, journal: CrashJournal, attempt: int, written: Format
) -> First:
    """Read and compute the first rows.

    Raises `InvalidInput` where none of them can be scored, or written in this format.
    """
    span, block, bad = _first_good(source)
    answered = answer(model, block, asked(model, block, journal, attempt))
    errors = [*bad, *answered.bad]
    if not answered.pieces:
        raise _hopeless(errors)
    # What the input has of the same name is refused now, as is what the output cannot hold.
    refuse_unwritable(answered.table(()), written)
    size = (span.stop - span.start) / span.rows
    # What a model takes in small pieces only is measured by one that it took.
    speed = measure(model, block.features, max(answered.pieces, key=len), size)
    return First(
        errors=errors,
        speed=speed,
        has_ids=block.ids is not None,
        answers=tuple(answered.columns),
    )


def _first_good(source: Source) -> tuple[Span, Block, list[BadRow]]:
    """The first block with a row for the model, and the bad rows before it; raises."""
    bad: list[BadRow] = []
    for span in islice(source.spans(MORE), LOOKS):
        block = source.read(span)
        if len(block.good):
            return span, block, bad
        bad += sorted(block.bad, key=lambda row: row.line)
    raise _hopeless(bad)


def _hopeless(errors: list[BadRow]) -> InvalidInput:
    first, many = errors[0], f"none of the first {len(errors)} rows"
    what = f"{many} can be scored; line {first.line}: {first.message}"
    return InvalidInput(what, line=first.line)
