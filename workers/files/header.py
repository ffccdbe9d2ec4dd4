"""Reads the header of a CSV file, and says what is wrong with one."""

import csv
from pathlib import Path

from registry.manifest import Signature
from telemetry.errors import InvalidInput
from workers.files.cutting import Place
from workers.files.record_file import RecordFile, first_records
from workers.files.texts import is_number


def read_header(file: RecordFile) -> tuple[list[str], Place]:
    """Names of the columns, and where the rows begin.

    Raises `InvalidInput` where there is no header, or nothing behind it.
    """
    head, found, start = file.head()
    line = 1 + int(found.lines_before(found.starts[0]))
    begin, end = int(found.starts[0]), int(found.stops[0])
    names = _names(head[begin:end], line)
    if len(found.stops) == 1:
        raise InvalidInput(f"line {line}: the file has a header and no rows", line=line)
    return names, Place(start, 1).forward(found, end)


def own_header(path: Path) -> bytes:
    """The header of a file of our own."""
    with path.open("rb") as file:
        head, found = first_records(file, quoted=True)
    return head[: int(found.stops[0])]


def refuse_headerless(signature: Signature, names: list[str]) -> None:
    """Raise `InvalidInput` where what should be names are values of a row.

    Numbers in their order are names: pandas writes them so for columns that have none.
    """
    if any(column.type != "number" for column in signature.columns):
        return
    counted = names in ([str(n + first) for n in range(len(names))] for first in (0, 1))
    if not counted and all(map(is_number, names)):
        raise InvalidInput("line 1: the first line must be a header, it is a row", line=1)


def _names(record: bytes, line: int) -> list[str]:
    try:
        text = record.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        what = f"the header is no UTF-8 (byte {error.start}: 0x{record[error.start]:02x})"
        raise InvalidInput(f"line {line}: {what}; save the file as UTF-8", line=line) from error
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:  # a lone return, as old programs end lines, is one
        raise InvalidInput(f"line {line}: the header cannot be read: {error}", line=line) from error
