"""What a batch job is to score: a place that the server reads, or rows that are sent."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

from predictq.lines import Names, lines

Rows = str | PathLike[str] | Iterable[Any]


def place(path: str | PathLike[str]) -> str:
    """The path as the server understands it: whole; a URI stays as it is."""
    text = os.fspath(path)
    return text if "://" in text else str(Path(text).expanduser().absolute())


@contextmanager
def opened(rows: Rows, names: Names) -> Iterator[tuple[str, IO[bytes]]]:
    """A file to send, and its name; what is no file becomes a temporary one, as NDJSON.

    Raises `OSError` where a file cannot be read, and as `lines`.
    """
    if isinstance(rows, str | PathLike):
        path = Path(rows).expanduser()
        with path.open("rb") as file:
            yield path.name, file
    else:
        with tempfile.TemporaryFile() as file:
            file.writelines(lines(rows, names))
            file.seek(0)
            yield "rows.ndjson", file
