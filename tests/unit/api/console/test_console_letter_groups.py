"""Dead letters are grouped by version, code and the shape of their reason."""

import pytest

from api.console.pages.dead_letters import grouped, shape_of
from tasks.ledger.dead_letters.letters import Letter


def letter(id: str, reason: str, code: str = "worker_lost") -> Letter:
    return Letter(
        id=id,
        queue="predict",
        model="iris:1",
        code=code,
        reason=reason,
        attempts=4,
        accepted_at=1.0,
        died_at=2.0,
    )


@pytest.mark.parametrize(
    ("reason", "shape"),
    [
        ("process 4711 died after 4 attempts", "process # died after # attempts"),
        ("column 'width' is no number: \"x7\"", "column '…' is no number: '…'"),
        ("id 0193a4b2-11aa-7000-8000-00000000beef", "id #"),
        ("plain words", "plain words"),
    ],
)
def test_shape_of_a_reason(reason: str, shape: str) -> None:
    assert shape_of(reason) == shape


def test_letter_groups_are_sorted_by_size() -> None:
    letters = [letter("a", "other"), letter("b", "pid 1 died"), letter("c", "pid 22 died")]
    letters.append(letter("d", "pid 3 died", code="out_of_memory"))
    groups = grouped(letters)
    assert [[x.id for x in group.letters] for group in groups] == [["b", "c"], ["a"], ["d"]]
    assert groups[0].newest.id == "b"
