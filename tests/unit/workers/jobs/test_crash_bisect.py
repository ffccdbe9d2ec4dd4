"""Crashes by rows, by rows together, or outside the rows, and the rows found guilty."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.errors import WorkerLost
from workers.jobs.crash_bisect import MAX_CRASHES_OUTSIDE_ROWS, CrashJournal

Kills = Callable[[range], bool]


class Died(BaseException):
    """Stands for the death of a process: a BaseException, so that nothing handles it."""


class Chunk:
    """A chunk that successive processes attempt until one answers it."""

    def __init__(self, path: Path, rows: int, kills: Kills) -> None:
        self._path, self._rows, self._kills = path, rows, kills
        self.attempts = 0

    def answered(self) -> list[range]:
        """Attempt the chunk until it is answered; the ranges of the last attempt."""
        while True:
            self.attempts += 1
            try:
                return self._answer(CrashJournal(self._path))
            except Died:
                continue

    def _answer(self, journal: CrashJournal) -> list[range]:
        journal.begin(self.attempts)
        asked: list[range] = []
        journal.narrow(self._rows, self.attempts, lambda rows: asked.append(self._ask(rows)))
        self._ask(range(0))  # work outside the rows
        return sorted(asked, key=lambda rows: rows.start)

    def _ask(self, rows: range) -> range:
        if self._kills(rows):
            raise Died
        return rows


def rows_of(ranges: list[range]) -> list[int]:
    return [row for rows in ranges for row in rows]


def test_chunk_without_crashes_is_not_bisected(tmp_path: Path) -> None:
    chunk = Chunk(tmp_path / "0.journal", 100, lambda rows: False)
    assert (chunk.answered(), chunk.attempts) == ([range(100)], 1)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("deadly", [{0}, {99}, {7, 8}, {0, 50, 99}])
def test_deadly_rows_are_found(tmp_path: Path, deadly: set[int]) -> None:
    chunk = Chunk(tmp_path / "0.journal", 100, lambda rows: bool(deadly & {*rows}))
    assert set(range(100)) - {*rows_of(chunk.answered())} == deadly
    assert chunk.attempts <= 2 + len(deadly) * 9  # 7 halvings, and a second chance for each row


def test_row_that_kills_by_chance_is_answered(tmp_path: Path) -> None:
    chance = [True]

    def kills(rows: range) -> bool:
        return 40 in rows and (len(rows) > 1 or bool(chance and chance.pop()))

    assert rows_of(Chunk(tmp_path / "0.journal", 100, kills).answered()) == [*range(100)]


def test_chunk_lethal_as_a_whole_is_answered_in_parts(tmp_path: Path) -> None:
    chunk = Chunk(tmp_path / "0.journal", 100, lambda rows: len(rows) > 30)
    answered = chunk.answered()
    assert answered == [range(25), range(25, 50), range(50, 75), range(75, 100)]
    assert chunk.attempts == 5  # the first attempt keeps no notes


def test_crashes_without_a_guilty_row_end_the_chunk(tmp_path: Path) -> None:
    chunk = Chunk(tmp_path / "0.journal", 10, lambda rows: not rows)
    with pytest.raises(WorkerLost, match=r"ended its process \d times"):
        chunk.answered()
    assert chunk.attempts <= 2 * MAX_CRASHES_OUTSIDE_ROWS


def test_chunk_whose_processes_are_killed_from_outside_is_answered(tmp_path: Path) -> None:
    """Kills while rows are computed, in a row, do not make the chunk guilty."""
    killed = 3 * MAX_CRASHES_OUTSIDE_ROWS

    def kills(rows: range) -> bool:
        nonlocal killed
        killed -= bool(rows)
        return killed % 2 == 0 and killed > 0 if rows else False

    assert rows_of(Chunk(tmp_path / "0.journal", 10_000, kills).answered()) == [*range(10_000)]


def test_crash_journal_ignores_errors(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"

    def raises(_: range) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        CrashJournal(path).narrow(10, 2, raises)
    asked: list[range] = []
    CrashJournal(path).narrow(10, 3, asked.append)
    assert asked == [range(10)]


def test_crash_journal_keeps_the_notes_of_concurrent_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "0.journal", Path.write_bytes

    def interrupted(draft: Path, content: bytes) -> int:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "write_bytes", write)
            patch.setattr(os, "getpid", lambda: 1)
            CrashJournal(path).begin(2)
        return write(draft, content)

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    CrashJournal(path).begin(2)
    assert path.exists()


def test_crash_journal_is_cleared_by_a_resume(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"
    journal = CrashJournal(path)
    for attempt in range(2, MAX_CRASHES_OUTSIDE_ROWS + 2):
        journal.begin(attempt)
    journal.begin(1)
    for attempt in range(2, MAX_CRASHES_OUTSIDE_ROWS + 2):
        journal.begin(attempt)
    with pytest.raises(WorkerLost):
        journal.begin(MAX_CRASHES_OUTSIDE_ROWS + 2)
