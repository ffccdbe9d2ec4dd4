"""The input of a batch job: a path or URI that the server reads, or rows to upload."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO, Any

from predictq.arguments import invalid_argument, text
from predictq.rows.ndjson import Names, lines

Rows = str | PathLike[str] | Iterable[Any]


def absolute_path(argument: str, path: str | PathLike[str]) -> str:
    """Make a path absolute for the server; a URI is returned unchanged."""
    name = file_name(argument, path)
    return name if "://" in name else str(expanded_path(argument, path).absolute())


def expanded_path(argument: str, path: str | PathLike[str]) -> Path:
    """A path on this machine, with ``~`` expanded."""
    try:
        return Path(file_name(argument, path)).expanduser()
    except RuntimeError as error:  # there is no such home
        raise invalid_argument(argument, f"{path!r}: {error}") from error


def file_name(argument: str, path: str | PathLike[str]) -> str:
    """A path as text; raises `InvalidRequest` if it is not a path."""
    name = os.fspath(path) if isinstance(path, str | PathLike) else path
    if "\0" in text(argument, name):
        raise invalid_argument(argument, f"a file cannot have the name {name!r}")
    return name


@contextmanager
def open_upload(rows: Rows, names: Names) -> Iterator[tuple[str, IO[bytes]]]:
    """Name and open file to upload; rows are written to a temporary NDJSON file first.

    Raises `OSError` if a file cannot be read, and like `lines`.
    """
    if isinstance(rows, str | PathLike):
        path = expanded_path("rows", rows)
        with path.open("rb") as file:
            yield path.name, file
    else:
        with tempfile.TemporaryFile() as file:
            file.writelines(lines(rows, names))
            file.seek(0)
            yield "rows.ndjson", file
