"""Dates, times and durations as ISO 8601 text, to the nanosecond."""

import re
from datetime import date, time, timedelta
from typing import Any

from predictq.errors import refused

NANOSECONDS = {
    "W": 604_800_000_000_000,
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
FINER = {"Y": "D", "M": "D", "W": "D", "h": "s", "m": "s"}
"""Units that NumPy prints as no full date or time, and the finer unit to use instead."""
MISSING_TIME = -(2**63)
"""Integer value of NumPy's NaT."""

_fraction = re.compile(r"\.(\d+)")


def time_text(value: date | time) -> str:
    """A date, time or datetime as text."""
    return value.isoformat()


def duration(value: timedelta) -> str:
    """A duration as text; a pandas Timedelta may have nanoseconds too."""
    whole = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    return elapsed(whole * 1_000 + getattr(value, "nanoseconds", 0))


def elapsed(nanoseconds: int) -> str:
    """A duration in nanoseconds as text, such as ``P1DT2H0M3.5S``."""
    seconds, rest = divmod(abs(nanoseconds), NANOSECONDS["s"])
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    fraction = f".{rest:09}".rstrip("0").rstrip(".")
    sign = "-" if nanoseconds < 0 else ""
    return f"{sign}P{day}DT{hour}H{minute}M{second}{fraction}S"


def normalized_decimals(text: str | None) -> str | None:
    """Normalize the decimals of a time to none, six as Python writes, or nine if needed."""
    return None if text in (None, "NaT") else _fraction.sub(_decimals, str(text), count=1)


def _decimals(found: re.Match[str]) -> str:
    digits = found[1].rstrip("0")
    return "." + digits.ljust(6 if len(digits) <= 6 else 9, "0") if digits else ""


def moments_of(array: Any) -> Any:
    """Convert an array of ``datetime64`` to nested lists of text."""
    unit = _unit(array)[1]
    finer = array.astype(f"datetime64[{FINER[unit]}]") if unit in FINER else array
    return _deep(normalized_decimals, finer.astype(str).tolist())


def durations_of(array: Any) -> Any:
    """Convert an array of ``timedelta64`` to nested lists of text."""
    count, unit = _unit(array)
    if unit not in NANOSECONDS:
        raise refused(f"durations in NumPy's unit {unit!r} cannot be sent")
    step = count * NANOSECONDS[unit]
    return _deep(
        lambda n: None if n == MISSING_TIME else elapsed(n * step), array.astype(int).tolist()
    )


def _unit(array: Any) -> tuple[int, str]:
    """Multiplier and unit of a dtype: (25, "s") for ``<M8[25s]``."""
    found = re.search(r"\[(\d*)(\w+)\]", array.dtype.str)
    return (int(found[1] or 1), found[2]) if found else (1, "")


def _deep(told: Any, values: Any) -> Any:
    """Apply ``described`` to each value in nested lists; masked values are None already."""
    if isinstance(values, list):
        return [_deep(told, value) for value in values]
    return None if values is None else told(values)
