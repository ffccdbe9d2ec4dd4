"""What a batch job is to score: a place that the server reads, or rows that are sent."""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

from predictq.rows import features

Rows = str | PathLike[str] | Iterable[Any]
SLICE = 10_000
"""Rows of a data frame that are turned at once."""


def place(path: str | PathLike[str]) -> str:
    """The path as the server understands it: whole; a URI stays as it is."""
    text = os.fspath(path)
    return text if "://" in text else str(Path(text).expanduser().absolute())


@contextmanager
def opened(rows: Rows) -> Iterator[tuple[str, IO[bytes]]]:
    """A file to send, and its name; what is no file becomes a temporary one, as NDJSON."""
    if isinstance(rows, str | PathLike):
        path = Path(rows).expanduser()
        with path.open("rb") as file:
            yield path.name, file
    else:
        with tempfile.TemporaryFile() as file:
            file.writelines(_lines(rows))
            file.seek(0)
            yield "rows.ndjson", file


def _lines(rows: Iterable[Any]) -> Iterator[bytes]:
    for row in _each(rows):
        yield json.dumps(features(row), separators=(",", ":")).encode() + b"\n"


def _each(rows: Any) -> Iterator[Any]:
    if not hasattr(rows, "iloc"):
        yield from rows
        return
    # A slice at a time: all records of a frame take many times its memory.
    for start in range(0, len(rows), SLICE):
        yield from features(rows.iloc[start : start + SLICE])
