"""What the model makes of the first rows: whether it takes them at all, and how fast it is."""

import msgspec

from telemetry.errors import InvalidInput
from workers.files.spans import BadRow, Source
from workers.jobs.answering import answer
from workers.jobs.model import Model
from workers.jobs.sizing import MORE, Speed, measure


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen."""

    errors: list[BadRow] = []
    speed: Speed | None = None
    """None where there is no row."""
    has_ids: bool = False


def try_first(source: Source, model: Model) -> First:
    """Read and compute the first rows; raises `InvalidInput` where none of them can be scored."""
    span = next(iter(source.spans(MORE)), None)
    if span is None:
        return First()
    block = source.read(span)
    answered = answer(model, block)
    if not len(answered.rows):
        worst = answered.bad[0]
        raise InvalidInput(
            f"none of the first {span.rows} rows can be scored; line {worst.line}: {worst.message}",
            line=worst.line,
        )
    size = (span.stop - span.start) / span.rows
    speed = measure(model, block.features, answered.rows, size)
    return First(errors=answered.bad, speed=speed, has_ids=block.ids is not None)
