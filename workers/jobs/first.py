"""What the model makes of the first rows: whether it takes them at all, and how fast it is."""

import msgspec

from tasks.jobs.naming import Format
from telemetry.errors import InvalidInput
from workers.files.encoding import refuse_unwritable
from workers.files.spans import BadRow, Block, Source
from workers.jobs.answering import Answered, answer, survivors
from workers.jobs.journal import Journal
from workers.jobs.model import Model
from workers.jobs.sizing import MORE, Speed, measure


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    errors: list[BadRow]
    speed: Speed
    has_ids: bool
    answers: tuple[str, ...]
    """Columns that the answers make."""


def try_first(
    source: Source, model: Model, journal: Journal, attempt: int, written: Format
) -> First:
    """Read and compute the first rows.

    Raises `InvalidInput` where none of them can be scored, or written in this format.
    """
    span = next(source.spans(MORE))
    block = source.read(span)
    together = survivors(model, block, journal, attempt)
    answered = answer(model, block, together)
    _refuse_hopeless(block, answered)
    # What the input has of the same name is refused now, as is what the output cannot hold.
    refuse_unwritable(answered.table(()), written)
    size = (span.stop - span.start) / span.rows
    # What a model takes in small pieces only is measured by one that it took.
    speed = measure(model, block.features, max(answered.pieces, key=len), size)
    return First(
        errors=answered.bad,
        speed=speed,
        has_ids=block.ids is not None,
        answers=tuple(answered.columns),
    )


def _refuse_hopeless(block: Block, answered: Answered) -> None:
    if not answered.pieces:
        worst, many = answered.bad[0], f"none of the first {block.rows} rows"
        what = f"{many} can be scored; line {worst.line}: {worst.message}"
        raise InvalidInput(what, line=worst.line)
