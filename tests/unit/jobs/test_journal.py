"""Processes that die of rows, of many rows together, or of something else, and what is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from telemetry.errors import WorkerLost
from workers.jobs.journal import MOST_VAIN, Journal

Kills = Callable[[range], bool]


class Died(Exception):
    """What stands for the end of a process."""


class Chunk:
    """A chunk that processes take up, one after the other, until one of them answers it."""

    def __init__(self, path: Path, rows: int, kills: Kills) -> None:
        self._path, self._rows, self._kills = path, rows, kills
        self.attempts = 0

    def answered(self) -> list[range]:
        """The ranges by which it is answered in the end."""
        while True:
            self.attempts += 1
            try:
                return self._answer(Journal(self._path))
            except Died:
                continue

    def _answer(self, journal: Journal) -> list[range]:
        journal.begin(self.attempts)
        together = journal.narrow(self._rows, self.attempts, self._ask)
        for rows in together:
            self._ask(rows)
        return together

    def _ask(self, rows: range) -> None:
        if self._kills(rows):
            raise Died


def rows_of(ranges: list[range]) -> list[int]:
    return [row for rows in ranges for row in rows]


def test_nothing_is_tried_while_nobody_dies(tmp_path: Path) -> None:
    chunk = Chunk(tmp_path / "0.journal", 100, lambda rows: False)
    assert (chunk.answered(), chunk.attempts) == ([range(100)], 1)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("deadly", [{0}, {99}, {7, 8}, {0, 50, 99}])
def test_deadly_rows_are_found(tmp_path: Path, deadly: set[int]) -> None:
    chunk = Chunk(tmp_path / "0.journal", 100, lambda rows: bool(deadly & {*rows}))
    assert set(range(100)) - {*rows_of(chunk.answered())} == deadly
    assert chunk.attempts <= 2 + len(deadly) * 9  # 7 halvings, and each row has a second chance


def test_a_row_that_kills_by_chance_is_answered(tmp_path: Path) -> None:
    chance = [True]

    def kills(rows: range) -> bool:
        return 40 in rows and (len(rows) > 1 or bool(chance and chance.pop()))

    assert rows_of(Chunk(tmp_path / "0.journal", 100, kills).answered()) == [*range(100)]


def test_what_kills_only_as_a_whole_is_answered_by_what_lives(tmp_path: Path) -> None:
    chunk = Chunk(tmp_path / "0.journal", 100, lambda rows: len(rows) > 30)
    answered = chunk.answered()
    assert answered == [range(25), range(25, 50), range(50, 75), range(75, 100)]
    assert chunk.attempts == 5  # nobody knows what the first one died of


def test_what_kills_beside_the_rows_ends(tmp_path: Path) -> None:
    asked: list[range] = []

    def kills(rows: range) -> bool:
        """Whatever has been tried before; as one who runs out of memory at the end."""
        asked.append(rows)
        return asked.count(rows) != 2

    with pytest.raises(WorkerLost, match=r"ended its process \d times"):
        Chunk(tmp_path / "0.journal", 10, kills).answered()
    assert len(asked) <= 2 * MOST_VAIN


def test_what_was_known_before_a_job_was_resumed_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "0.journal"
    journal = Journal(path)
    for attempt in range(2, MOST_VAIN + 2):
        journal.begin(attempt)
    journal.begin(1)
    for attempt in range(2, MOST_VAIN + 2):
        journal.begin(attempt)
    with pytest.raises(WorkerLost):
        journal.begin(MOST_VAIN + 2)
