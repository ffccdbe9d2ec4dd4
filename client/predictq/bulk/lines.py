"""Writes each row as a prediction of its own, and groups the lines into requests."""

from collections.abc import Iterable, Iterator
from typing import Any

from predictq.errors import ProblemError, refused
from predictq.rows.json_writer import Unencodable, encode
from predictq.rows.ndjson import each_row
from predictq.rows.rows import features

MAX_GROUP_BYTES = 4 * 2**20
"""Bytes of one request; the server accepts more, but each is repeated as a whole."""


def lines(rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield an NDJSON line for each row; raises `InvalidRequest`, which names the row, from 1."""
    for number, row in enumerate(each_row(rows)):
        yield _line(number, row)


def line_groups(written: Iterator[bytes], most: int) -> Iterator[list[bytes]]:
    """Yield lists of at most ``most`` lines, shorter where lines are long."""
    group: list[bytes] = []
    size = 0
    for line in written:
        if group and (len(group) == most or size + len(line) > MAX_GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line)
    if group:
        yield group


def _line(number: int, row: Any) -> bytes:
    try:
        plain = features(row)
        shaped = plain if isinstance(plain, list | dict) else [plain]
        return b'{"features":' + encode(shaped) + b"}\n"
    except ProblemError as error:
        raise refused(f"row {number + 1}: {error.detail}", number) from error
    except Unencodable as error:
        where = f", column {error.way[0]!r}" if error.way else ""
        raise refused(f"row {number + 1}{where}: {error.told}", number) from error
