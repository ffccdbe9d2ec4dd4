"""A progress bar for terminals."""

import sys
import time
from typing import Self

import click

REFRESH_INTERVAL = 1.0
"""Seconds between two updates of the bar, and before it is first shown."""


class Progress:
    """A bar on standard error, if that is a terminal."""

    def __init__(self, length: int) -> None:
        self._bar = click.progressbar(length=length, file=sys.stderr, show_pos=True, hidden=True)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.render_finish()

    def advance(self, steps: int) -> None:
        """Add ``steps``; 0 only updates the time."""
        self._bar.hidden = (
            not sys.stderr.isatty() or time.time() - self._bar.start < REFRESH_INTERVAL
        )
        self._bar.update(steps)
        self._bar.render_progress()
