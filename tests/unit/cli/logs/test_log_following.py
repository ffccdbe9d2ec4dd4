"""Following shows each line once, also across rotations."""

from pathlib import Path

import pytest

from cli.logs.criteria import Criteria
from cli.logs.following import FollowedHome
from stack import rotation
from tests.unit.cli.logs.log_samples import line

ALL = Criteria()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "worker.log"
    log.write_text(f"{line(0, 'old')}\n")
    return log


def write(log: Path, *lines: str, end: str = "\n") -> None:
    with log.open("a") as file:
        file.write("\n".join(lines) + end)


def seen(home: FollowedHome, criteria: Criteria = ALL) -> list[tuple[object, ...]]:
    return [(entry.fields["event"], *entry.more) for entry in home.look(criteria)]


def test_new_lines_are_shown_once(log: Path) -> None:
    home = FollowedHome(log.parents[1])
    assert home.ends == {log: log.stat().st_size}
    write(log, line(1, "a"), "printed", line(2, "b"))
    assert seen(home) == [("a", "printed"), ("b",)]
    assert seen(home) == []


def test_a_line_that_is_not_finished_waits(log: Path) -> None:
    write(log, line(1, "a")[:20], end="")
    home = FollowedHome(log.parents[1])
    write(log, line(1, "a")[20:], line(2, "b")[:9], end="")
    assert seen(home) == [("a",)]
    write(log, line(2, "b")[9:])
    assert seen(home) == [("b",)]


def test_lines_that_follow_later_repeat_their_entry(log: Path) -> None:
    home = FollowedHome(log.parents[1])
    write(log, line(1, "a"))
    assert seen(home) == [("a",)]
    write(log, "printed", line(2, "b"))
    assert seen(home) == [("a", "printed"), ("b",)]


def test_rotation_loses_and_repeats_nothing(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "COPY_BYTES", 1)
    home = FollowedHome(log.parents[1])
    for number in range(6):
        write(log, line(number, f"a{number}"))
        assert seen(home) == [(f"a{number}",)]
        write(log, line(number, f"b{number}"), line(number, f"c{number}")[:9], end="")
        monkeypatch.setattr(rotation, "MAX_LOG_BYTES", log.stat().st_size)
        rotation.rotate(log)
        assert seen(home) == [(f"b{number}",)]
        write(log, line(number, f"c{number}")[9:])
        assert seen(home) == [(f"c{number}",)]


def test_logs_that_begin_later_are_followed(log: Path) -> None:
    home = FollowedHome(log.parents[1])
    write(log.with_name("bulk.log"), line(1, "a", model="iris"), line(2, "b"))
    assert seen(home, Criteria(model="iris")) == [("a",)]


def test_a_log_that_is_removed_is_passed_over(log: Path) -> None:
    home = FollowedHome(log.parents[1])
    log.unlink()
    assert seen(home) == []
    write(log, line(1, "a"))
    assert seen(home) == [("a",)]
