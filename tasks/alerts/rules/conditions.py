"""The conditions of alerts, evaluated on one scrape and on what counters counted before it."""

import math
from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from tasks.alerts.rules.selectors import MetricSample, Selector

AlertLabels = tuple[tuple[str, str], ...]
"""Names and values of labels."""
Active = dict[AlertLabels, float]
"""For each set of labels for which a condition holds: the value that was compared."""


class MetricView(Protocol):
    """The metrics on which conditions are evaluated."""

    @property
    def samples(self) -> Mapping[str, list[MetricSample]]:
        """The latest scrape, by name."""

    def increase(self, counter: Selector, seconds: float) -> float:
        """The increase of a counter in the last seconds, summed over its series."""


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """A value above or below a bound."""

    metric: Selector
    over: Selector | None = None
    """The value is divided by that of this one."""
    increase: float | None = None
    """Seconds, if what counts is the increase of a counter."""
    by: tuple[str, ...] = ()
    bound: float
    is_upper: bool
    """Whether the condition holds above the bound; otherwise below it."""

    @property
    def selectors(self) -> Iterator[Selector]:
        """The selectors of its metrics."""
        yield from (self.metric, self.over) if self.over else (self.metric,)

    @property
    def counters(self) -> Iterator[Selector]:
        """The selectors whose increase it needs."""
        yield from (self.metric,) if self.increase else ()

    def holds(self, view: MetricView) -> Active:
        """The sets of labels for which the condition holds, each with the value compared."""
        return {
            labels: value
            for labels, value in self._values(view).items()
            if (value > self.bound if self.is_upper else value < self.bound)
        }

    def _values(self, view: MetricView) -> Active:
        if self.increase:
            return {(): view.increase(self.metric, self.increase)}
        values = highest(self.metric.select(view.samples), self.by)
        if self.over is None:
            return values
        bases = highest(self.over.select(view.samples), ())
        return {
            labels: _ratio(value, base)
            for labels, value in values.items()
            for base in bases.values()
        }


class BurnWindow(msgspec.Struct, frozen=True):
    """Two times over which an error budget may burn too fast."""

    factor: float
    """How much faster than evenly over the whole period of the objective."""
    long: str
    short: str


class BurnRate(msgspec.Struct, frozen=True, kw_only=True):
    """An error budget that burns too fast in both times of a window."""

    total: Selector
    part: Selector
    """The good or the bad events of the total."""
    is_good: bool
    """Whether the part is that of the good events."""
    budget: float
    """Share of events that may be bad."""
    floor: float
    """Events in the longer time below which the condition does not hold."""
    windows: tuple[BurnWindow, ...]

    @property
    def selectors(self) -> Iterator[Selector]:
        """The selectors of its metrics."""
        yield from (self.total, self.part)

    counters = selectors

    def holds(self, view: MetricView) -> Active:
        """The share of bad events in the longer time, if the condition holds."""
        burning = (self._burning(view, window) for window in self.windows)
        found = [share for share in burning if share is not None]
        return {(): found[0]} if found else {}

    def _burning(self, view: MetricView, window: BurnWindow) -> float | None:
        long, short = (self._bad(view, seconds_of(each)) for each in (window.long, window.short))
        bound = window.factor * self.budget
        enough = view.increase(self.total, seconds_of(window.long)) > self.floor
        return long if enough and long > bound and short > bound else None

    def _bad(self, view: MetricView, seconds: float) -> float:
        total = view.increase(self.total, seconds)
        share = _ratio(view.increase(self.part, seconds), total) if total else 0.0
        return 1 - share if self.is_good and total else share


Condition = Threshold | BurnRate
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(duration: str) -> float:
    """Seconds of a duration such as ``5m``; raises `ValueError`."""
    if duration[-1:] not in _UNITS:
        raise ValueError(f"not a duration: {duration!r}")
    return float(duration[:-1]) * _UNITS[duration[-1]]


def highest(samples: Iterator[MetricSample], by: tuple[str, ...]) -> Active:
    """The highest value for each set of these labels: each process of the API reports the same."""
    found: Active = {}
    for sample in samples:
        labels = tuple((name, sample.labels.get(name, "")) for name in by)
        found[labels] = max(found.get(labels, -math.inf), sample.value)
    return found


def _ratio(value: float, base: float) -> float:
    if base:
        return value / base
    return math.inf if value else math.nan  # as PromQL divides; no comparison with NaN holds
