"""Reads the file of rules; each alert has a condition, a duration, a severity and a runbook."""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from tasks.alerts.rules.conditions import BurnRate, BurnWindow, Condition, Threshold, seconds_of
from tasks.alerts.rules.selectors import parse_selector

Severity = Literal["page", "ticket"]
Unit = Literal["count", "seconds", "share"]
RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks"


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A condition. Operators are notified once it has held for the alert's duration."""

    name: str
    condition: Condition
    duration: str
    """For how long the condition must hold, as in ``5m``."""
    severity: Severity
    unit: Unit
    summary: str
    """What is wrong, with ``{value}`` and the labels in braces."""
    remedy: str
    page: str
    """Path in the console where it can be mended; may have labels in braces."""
    runbook: str
    """Name of its runbook, ``docs/runbooks/<name>.md``."""

    @property
    def seconds(self) -> float:
        """The duration in seconds."""
        return seconds_of(self.duration)


class _Texts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    summary: str
    remedy: str
    page: str


class _Rule(_Texts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    metric: str
    over: str | None = None
    increase: str | None = None
    by: tuple[str, ...] = ()
    above: float | None = None
    below: float | None = None
    duration: str = msgspec.field(name="for")
    severity: Severity
    unit: Unit = "count"

    def alert(self, name: str) -> Alert:
        bound = self.below if self.above is None else self.above
        if bound is None or None not in (self.above, self.below):
            raise ValueError(f"{name}: give either above or below")
        condition = Threshold(
            metric=parse_selector(self.metric),
            over=parse_selector(self.over) if self.over else None,
            increase=seconds_of(self.increase) if self.increase else None,
            by=self.by,
            bound=bound,
            is_upper=self.above is not None,
        )
        return _alert(self, name, name, condition, self.duration, self.severity, self.unit)


class _Burning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    severity: Severity
    duration: str = msgspec.field(name="for")
    windows: tuple[BurnWindow, ...]


class _Objective(_Texts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    total: str
    good: str | None = None
    bad: str | None = None
    target: float
    floor: float
    severity: Severity = "page"
    """The highest of its alerts."""

    def alert(self, name: str, speed: str, burning: _Burning) -> Alert:
        part = self.good or self.bad
        if part is None or None not in (self.good, self.bad):
            raise ValueError(f"{name}: give either good or bad")
        condition = BurnRate(
            total=parse_selector(self.total),
            part=parse_selector(part),
            is_good=self.good is not None,
            budget=round(1 - self.target, 6),
            floor=self.floor,
            windows=burning.windows,
        )
        is_ticket = "ticket" in (self.severity, burning.severity)
        severity: Severity = "ticket" if is_ticket else "page"
        return _alert(self, f"{name}-{speed}", name, condition, burning.duration, severity, "share")


class _Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    alerts: dict[str, _Rule]
    objectives: dict[str, _Objective]
    burn_rates: dict[str, _Burning]


@cache
def all_alerts() -> dict[str, Alert]:
    """Every alert by its name; raises `ValueError` if the file of rules has an error."""
    text = resources.files(__package__).joinpath("rules.toml").read_bytes()
    read = msgspec.toml.decode(text, type=_Rules)
    return {alert.name: alert for alert in _made(read)}


def runbook_path(name: str) -> str:
    """Where a runbook is in the repository."""
    return f"docs/runbooks/{name}.md"


def runbook_text(name: str) -> str:
    """The text of a runbook, Markdown; empty if the documents are not installed."""
    path = RUNBOOKS / f"{name}.md"
    return path.read_text() if path.exists() else ""


def _made(read: _Rules) -> Iterator[Alert]:
    yield from (rule.alert(name) for name, rule in read.alerts.items())
    for name, objective in read.objectives.items():
        for speed, burning in read.burn_rates.items():
            yield objective.alert(name, speed, burning)


def _alert(
    texts: _Texts,
    name: str,
    runbook: str,
    condition: Condition,
    duration: str,
    severity: Severity,
    unit: Unit,
) -> Alert:
    seconds_of(duration)  # raises ValueError
    return Alert(
        name=name,
        condition=condition,
        duration=duration,
        severity=severity,
        unit=unit,
        summary=texts.summary,
        remedy=texts.remedy,
        page=texts.page,
        runbook=runbook,
    )
