"""Times on the command line: how long ago, or when."""

import time
from datetime import datetime
from typing import Any

import click

from cli.keys.durations import SECONDS, Duration


class Moment(click.ParamType[float]):
    """A time, as Unix seconds."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Read an argument."""
        if isinstance(value, float):
            return value
        if value[-1:] in SECONDS:
            return time.time() - Duration().convert(value, param, ctx)
        try:
            return datetime.fromisoformat(value).timestamp()  # local, unless it says otherwise
        except ValueError:
            self.fail(
                f"{value!r} is neither a duration, such as 1h, nor a time, such as 2026-11-30T14:05"
            )
