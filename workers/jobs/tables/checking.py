"""Checks a whole input before it is scored: that it has good rows, and no duplicate ids."""

from pathlib import Path

from tasks.jobs.files.disk_reserve import open_unnamed
from telemetry.errors import Detail, InvalidInput
from workers.jobs.tables.duplicate_ids import DuplicateIds
from workers.jobs.tables.spans import BadRow, Source

_ROWS = 10_000
"""Rows checked at a time."""
_TOLD = 100
_DETAILS = 20


def check_file(source: Source, directory: Path, spare: int) -> list[BadRow]:
    """Check all rows; returns the first bad ones, at most a hundred.

    Ids are compared on disk, which takes 24 bytes each; raises `OSError` if that would touch the
    disk reserve of ``spare`` bytes. Raises `InvalidInput` if no row is good or two rows have the
    same id, and the errors of `Source.read`.
    """
    rows, bad, first_bad = 0, 0, list[BadRow]()
    with open_unnamed(directory, spare) as file:
        ids = DuplicateIds(file)
        for span in source.spans(_ROWS):
            block = source.read(span)
            if block.ids is not None:
                ids.add(block.ids, block.lines)
            rows, bad = rows + block.rows, bad + len(block.bad)
            first_bad += sorted(block.bad, key=lambda row: row.line)[: _TOLD - len(first_bad)]
        # In this order: a file of another kind may have the same broken id in all rows.
        _refuse_hopeless(rows, bad, first_bad)
        _refuse_duplicates(ids)
    return first_bad


def _refuse_hopeless(rows: int, bad: int, first_bad: list[BadRow]) -> None:
    if bad < rows:
        return
    first = first_bad[0]
    raise InvalidInput(
        f"none of {rows} rows can be scored; line {first.line}: {first.message}",
        errors=[Detail(("line", row.line), row.message) for row in first_bad[:_DETAILS]],
        line=first.line,
    )


def _refuse_duplicates(ids: DuplicateIds) -> None:
    if found := ids.first():
        line, other = found
        raise InvalidInput(f"line {line}: line {other} has the same id", line=line)
