"""Writes rows as NDJSON; errors name the row."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from predictq.errors import ProblemError, refused
from predictq.rows.arrays import dense_rows, is_sparse
from predictq.rows.frames import check_is_there, is_frame, is_series, labels, slices
from predictq.rows.json_writer import Unencodable, ValuePath, encode
from predictq.rows.rows import features, frame_records

SLICE = 10_000
"""Rows of a data frame to convert at once."""
EXPECTED_ROWS = "a path, a URI, a data frame or an iterable of rows"
UNORDERED = (bytes, bytearray, memoryview, set, frozenset)
"""Types that are iterable but cannot be rows."""
Names = Callable[[], Sequence[str] | None]
"""Looks up the names of the model's columns; None if it has none."""


def lines(rows: Iterable[Any], names: Names) -> Iterator[bytes]:
    """Yield an NDJSON line for each row; lists are named by the model's columns.

    A row that is neither a list nor an object is a single value. Raises `InvalidRequest`, which
    names the row, from 1, and the column.
    """
    asked = cache(names)
    for number, row in enumerate(each_row(rows)):
        yield _line(number, row, asked)


def each_row(rows: Any) -> Iterator[Any]:
    """Yield the rows of a frame, an array or an iterable; raises `InvalidRequest` for others."""
    if is_frame(rows):
        # In slices, because the records of a frame take many times its memory.
        for piece in slices(rows, SLICE):
            yield from frame_records(piece)
    elif is_sparse(rows):
        yield from dense_rows(rows)
    elif is_series(rows) and labels(rows):
        yield rows
    else:
        yield from _iterator(rows)


def _iterator(rows: Any) -> Iterator[Any]:
    check_is_there(rows)
    if isinstance(rows, Mapping):
        raise refused("an object is one row; send it in a list")
    if not isinstance(rows, UNORDERED):
        with suppress(TypeError):  # a zero-dimensional array is iterable by its type only
            return iter(rows)
    got = "None" if rows is None else f"a value of type {type(rows).__name__}"
    raise refused(f"expected {EXPECTED_ROWS}, got {got}")


def _line(number: int, row: Any, names: Names) -> bytes:
    try:
        plain = features(row)
    except ProblemError as error:
        raise refused(f"row {number + 1}: {error.detail}", number) from error
    if not isinstance(plain, dict):
        plain = _by_name(number, plain if isinstance(plain, list) else [plain], names())
    try:
        return encode(plain) + b"\n"
    except Unencodable as error:
        raise refused(f"{_place(number, error.way)}: {error.told}", number) from error


def _by_name(number: int, row: list[Any], names: Sequence[str] | None) -> Any:
    if names is None:
        return row
    if len(row) != len(names):
        raise refused(f"row {number + 1} has {len(row)} features, expected {len(names)}", number)
    return dict(zip(names, row, strict=True))


def _place(number: int, way: ValuePath) -> str:
    row = f"row {number + 1}"
    return f"{row}, column {way[0]!r}" if way else row
