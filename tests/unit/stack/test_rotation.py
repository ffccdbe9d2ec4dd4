"""Logs stay bounded, even with a fast writer or a full disk."""

from pathlib import Path

import pytest

from stack import rotation
from stack.rotation import KEPT_FILES, rotate


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log in its own directory, of at most ten bytes."""
    monkeypatch.setattr(rotation, "MAX_LOG_BYTES", 10)
    monkeypatch.setattr(rotation, "COPY_BYTES", 1)
    return tmp_path / "worker.log"


def contents(log: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in log.parent.iterdir()}


def test_rotation_leaves_a_short_log(log: Path) -> None:
    rotate(log)
    log.write_text("a" * 9)
    rotate(log)
    assert contents(log) == {"worker.log": "a" * 9}


def test_open_writer_continues_after_rotation(log: Path) -> None:
    with log.open("a") as writer:
        writer.write("0123456789")
        writer.flush()
        rotate(log)
        writer.write("ab")
    assert contents(log) == {"worker.log": "ab", "worker.log.1": "0123456789"}


def test_rotated_logs_are_bounded(log: Path) -> None:
    for number in range(KEPT_FILES + 2):
        log.write_text(f"{number}" * 10)
        rotate(log)
    kept = {f"worker.log.{1 + n}": f"{KEPT_FILES + 1 - n}" * 10 for n in range(KEPT_FILES)}
    assert contents(log) == {"worker.log": "", **kept}


def test_rotation_keeps_the_end_of_a_large_log(log: Path) -> None:
    log.write_text("x" * 100 + "0123456789")
    rotate(log)
    assert contents(log) == {"worker.log": "", "worker.log.1": "0123456789"}


def test_rotation_empties_the_log_on_a_full_disk(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    log.write_text("x" * 11)
    monkeypatch.setattr(rotation, "_copy", full)
    rotate(log)
    assert contents(log) == {"worker.log": ""}
