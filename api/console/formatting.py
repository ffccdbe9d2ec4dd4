"""Formats numbers, times and sizes for people: the filters of the templates."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from registry.splits import meaning_text

NOTHING = "\N{EN DASH}"
"""Shown where a value is not known."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def thousands(number: float) -> str:
    """A whole number with thin groups: ``12,431``."""
    return f"{number:,.0f}"


def per_second(number: float | None) -> str:
    """A number a second, with a digit after the point if it is small."""
    if number is None:
        return NOTHING
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def duration(seconds: float | None) -> str:
    """Seconds in the unit that suits: ``4 ms``, ``2.5 s``, ``3 min``, ``1.2 h``."""
    if seconds is None:
        return NOTHING
    scales: list[tuple[float, Callable[[float], str]]] = [
        (1, lambda s: f"{s * 1000:.3g} ms" if s else "0 s"),
        (_MINUTE, lambda s: f"{s:.1f} s"),
        (_HOUR, lambda s: f"{s / _MINUTE:.1f} min"),
        (2 * _DAY, lambda s: f"{s / _HOUR:.1f} h"),
    ]
    fitting = (show for bound, show in scales if seconds < bound)
    return next(fitting, lambda s: f"{s / _DAY:.0f} days")(seconds)


def time_of_day(seconds: float | None) -> str:
    """A time in UTC, such as ``2026-11-30 12:04:05``."""
    if seconds is None:
        return NOTHING
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def written_time(text: str) -> str:
    """A time in ISO 8601, as the registry writes it, such as ``2026-11-30 12:04:05``."""
    return time_of_day(datetime.fromisoformat(text).timestamp())


def ago(seconds: float | None) -> str:
    """How long ago a time was."""
    return NOTHING if seconds is None else f"{duration(max(time.time() - seconds, 0))} ago"


def bytes_size(number: float | None) -> str:
    """Bytes in the unit that suits."""
    if number is None:
        return NOTHING
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"


FILTERS: dict[str, Callable[..., str]] = {
    "count": thousands,
    "rate": per_second,
    "duration": duration,
    "clock": time_of_day,
    "ago": ago,
    "written": written_time,
    "size": bytes_size,
    "meaning": meaning_text,
}
"""Name in templates → function."""
