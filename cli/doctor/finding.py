"""Checks and findings: what was looked at, how well it stands, and what to do about it."""

from collections.abc import Callable
from typing import Literal

import msgspec

FindingLevel = Literal["pass", "warn", "fail"]
LEVELS: tuple[FindingLevel, ...] = ("pass", "warn", "fail")
"""From good to bad; the position of the worst is the exit code."""


class Observation(msgspec.Struct, frozen=True):
    """The observation of a check."""

    level: FindingLevel
    message: str
    remedy: str = ""
    """One sentence: what to do unless the level is ``pass``."""


class Check(msgspec.Struct, frozen=True):
    """One line of the checklist."""

    name: str
    see: str
    """The document about it: a path in the repository, with an anchor."""
    look: Callable[[], Observation]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one check."""

    check: str
    level: FindingLevel
    message: str
    remedy: str = ""
    see: str = ""
    """Left out, as the remedy is, if the check passed."""


def finding_of(check: Check) -> Finding:
    """Run a check; one that cannot look fails, so that the checks after it are run."""
    try:
        seen = check.look()
    except Exception as error:  # noqa: BLE001 - of Redis, disks, models: each has its own errors
        reason = str(error) or type(error).__name__
        seen = Observation("fail", f"could not be checked: {reason}", "Correct this, and repeat.")
    if seen.level == "pass":
        return Finding(check.name, "pass", seen.message)
    return Finding(check.name, seen.level, seen.message, seen.remedy, check.see)


def worst(levels: list[FindingLevel]) -> FindingLevel:
    """The worst of these levels; ``pass`` if there are none."""
    return max(levels, key=LEVELS.index, default="pass")


def graded(value: float, *, warn: float, fail: float) -> FindingLevel:
    """The level of a value that is worse the higher it is, by the bounds that it exceeds."""
    return "fail" if value > fail else "warn" if value > warn else "pass"


def graded_low(value: float, *, warn: float, fail: float) -> FindingLevel:
    """The level of a value that is worse the lower it is, by the bounds that it falls below."""
    return graded(-value, warn=-warn, fail=-fail)


def listed(names: list[str], shown: int = 5) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
