"""What a batch job is to score: a place that the server reads, or rows that are sent."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

from predictq.arguments import text, unfit
from predictq.rows.ndjson import Names, lines

Rows = str | PathLike[str] | Iterable[Any]


def place(argument: str, path: str | PathLike[str]) -> str:
    """The path as the server understands it: whole; a URI stays as it is."""
    name = file_name(argument, path)
    return name if "://" in name else str(local(argument, path).absolute())


def local(argument: str, path: str | PathLike[str]) -> Path:
    """A path on this machine; ``~`` is the user's home."""
    try:
        return Path(file_name(argument, path)).expanduser()
    except RuntimeError as error:  # there is no such home
        raise unfit(argument, f"{path!r}: {error}") from error


def file_name(argument: str, path: str | PathLike[str]) -> str:
    """A path as text; raises `InvalidRequest` for what is none."""
    name = os.fspath(path) if isinstance(path, str | PathLike) else path
    if "\0" in text(argument, name):
        raise unfit(argument, f"no file has a name such as {name!r}")
    return name


@contextmanager
def opened(rows: Rows, names: Names) -> Iterator[tuple[str, IO[bytes]]]:
    """A file to send, and its name; what is no file becomes a temporary one, as NDJSON.

    Raises `OSError` where a file cannot be read, and as `lines`.
    """
    if isinstance(rows, str | PathLike):
        path = local("rows", rows)
        with path.open("rb") as file:
            yield path.name, file
    else:
        with tempfile.TemporaryFile() as file:
            file.writelines(lines(rows, names))
            file.seek(0)
            yield "rows.ndjson", file
