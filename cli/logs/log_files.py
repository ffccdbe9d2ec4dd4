"""The log files of a home: each log with the rotated files of it."""

from pathlib import Path

from stack.rotation import KEPT_FILES, kept_log


def current_logs(home: Path) -> list[Path]:
    """The file of each process that lines are added to."""
    return sorted((home / "logs").glob("*.log"))


def with_rotated(log: Path) -> list[Path]:
    """A log and its rotated files, the newest first."""
    rotated = (kept_log(log, number) for number in range(1, KEPT_FILES + 1))
    return [log, *(path for path in rotated if path.exists())]
