"""Durations on the command line: ``90d``, ``24h``, ``15m``, ``30s``."""

from typing import Any

import click

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Duration(click.ParamType[float]):
    """A duration, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Read an argument."""
        if isinstance(value, float):
            return value
        number, unit = value[:-1], value[-1:]
        if unit not in SECONDS or not number.isascii() or not number.isdigit():
            self.fail(f"{value!r} is no duration, such as 90d, 24h or 30m")
        return float(number) * SECONDS[unit]
