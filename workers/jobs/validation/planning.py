"""The plan of a job: its chunks, as spans of the input, in a file of the job's directory."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from workers.jobs.tables.replacing import open_to_replace
from workers.jobs.tables.spans import Span

_spans = msgspec.json.Decoder(list[Span])


class Planned(msgspec.Struct, frozen=True):
    """Totals of a plan."""

    chunks: int
    rows: int


def write_plan(path: Path, spans: Iterable[Span], spare: int) -> Planned:
    """Write the chunks to a file; raises `OutputUnwritable`."""
    chunks = list(spans)
    with open_to_replace(path, spare) as file:
        file.write(msgspec.json.encode(chunks))
    return Planned(len(chunks), sum(span.rows for span in chunks))


def read_span(path: Path, chunk: int) -> Span | None:
    """The span of a chunk; None if the plan does not exist or does not have it."""
    try:
        stamp = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    plan = _read(path, stamp)
    return plan[chunk] if chunk < len(plan) else None


# The stamp is only part of the key, so that a plan that was written anew is read anew.
@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int) -> list[Span]:
    return _spans.decode(path.read_bytes())
