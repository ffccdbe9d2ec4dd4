"""Reads a sample of data as a frame, with the dtypes that pandas gives it in training code."""

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from tasks.jobs.files.decimal_comma import decimal_mark
from tasks.jobs.files.dialect import SNIFF_BYTES, delimiter_of, first_fields, separator
from telemetry.errors import Invalid

MAX_SAMPLE_ROWS = 10_000
"""Most rows that are used; a few hundred usually suffice."""


def read_sample(path: Path) -> pd.DataFrame:
    """Read the first `MAX_SAMPLE_ROWS` rows of a Parquet, CSV, NDJSON or JSON file, by its suffix.

    Rows that are lists get the columns 0, 1, …. Raises `Invalid` if the file cannot be read or has
    no rows.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise Invalid(f"{path}: a sample's name ends in one of {', '.join(_READERS)}")
    try:
        path.stat()  # raises a clearer error for a bad path than pandas
        frame = reader(path)
    except (ValueError, OSError, pa.ArrowException, RecursionError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Invalid(f"{path} cannot be read as a sample: {reason}") from error
    if not len(frame) or not len(frame.columns):
        raise Invalid(f"{path} has no rows")
    return frame.head(MAX_SAMPLE_ROWS).reset_index(drop=True)


def of_rows(rows: Any) -> pd.DataFrame:
    """Make a frame of rows in any shape that a request may have.

    Raises `Invalid` if there are no rows, or if they differ in kind or length.
    """
    if isinstance(rows, dict):
        rows = [rows]
    if not isinstance(rows, list) or not rows:
        raise Invalid("a sample is a row or a list of rows")
    if not isinstance(rows[0], list | dict):
        is_text = all(isinstance(row, str) for row in rows)
        rows = [[row] for row in rows] if is_text else [rows]
    kinds = set(map(type, rows))
    if len(kinds) > 1 or (kinds == {list} and len(set(map(len, rows))) > 1):
        raise Invalid("the rows of a sample must all be objects, or lists of one length")
    return pd.DataFrame(rows)


def _csv(path: Path) -> pd.DataFrame:
    """Read CSV with the delimiter and decimal mark of jobs; pandas decides everything else."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read(SNIFF_BYTES)
    said, begin = separator(text)
    delimiter = said or delimiter_of(text[begin:], None)
    fields = chain.from_iterable(first_fields(text[begin:], delimiter))
    return pd.read_csv(
        path,
        sep=delimiter,
        skiprows=int(said is not None),
        encoding="utf-8-sig",
        decimal=decimal_mark(fields),
    )


def _json(path: Path) -> pd.DataFrame:
    return of_rows(json.loads(path.read_bytes()))


def _ndjson(path: Path) -> pd.DataFrame:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return of_rows([json.loads(line) for line in lines if line.strip()])


_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    ".parquet": pd.read_parquet,
    ".csv": _csv,
    ".ndjson": _ndjson,
    ".jsonl": _ndjson,
    ".json": _json,
}
