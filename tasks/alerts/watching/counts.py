"""The increases of counters in the last days, which Prometheus would have in its own storage."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from tasks.alerts.rules.selectors import MetricSample, Selector

POINT_SECONDS = 60.0
"""Seconds between two points."""
KEPT_SECONDS = 3 * 86400.0
"""Seconds of the longest window of a rule."""
Series = dict[tuple[tuple[str, str], ...], float]
"""AlertLabels of a series → its value."""
MAX_COUNT_POINTS = int(KEPT_SECONDS / POINT_SECONDS) + 1


class CountPoint(msgspec.Struct, frozen=True, array_like=True):
    """Sums of counters at one moment."""

    at: float
    """Unix seconds."""
    counts: dict[str, float]
    """Text of a selector → the sum over its series, which only grows."""


class CounterSums:
    """Sums of counters, a point a minute. If a counter restarts at 0, its sum continues to grow."""

    def __init__(self, counters: Iterable[Selector], points: Iterable[CountPoint] = ()) -> None:
        """``points``: of an earlier process, in order of time."""
        self._counters = tuple({each.text: each for each in counters}.values())
        self._points = deque(points, maxlen=MAX_COUNT_POINTS)
        latest = self._points[-1].counts if self._points else {}
        self._counts = {each.text: latest.get(each.text, 0.0) for each in self._counters}
        self._seen: dict[str, Series] = {}
        self._scraped: set[str] = set()
        self._now = 0.0

    def add(self, now: float, samples: Mapping[str, list[MetricSample]]) -> CountPoint | None:
        """Count what a scrape has more than the one before; returns a point if one is due."""
        self._now = now
        for counter in self._counters:
            self._counts[counter.text] += self._grown(counter, _series(counter, samples))
        self._scraped |= samples.keys()
        while self._points and self._points[-1].at > now:  # the clock was set back
            self._points.pop()
        if self._points and now - self._points[-1].at < POINT_SECONDS:
            return None
        point = CountPoint(now, dict(self._counts))
        self._points.append(point)
        return point

    def increase(self, counter: Selector, seconds: float) -> float:
        """The increase of a counter in the last seconds, summed over its series."""
        start = self._now - seconds
        before = bisect_right(self._points, start, key=lambda point: point.at)
        # If less than the window is known, count what is known.
        first = self._points[max(before - 1, 0)].counts if self._points else {}
        now = self._counts[counter.text]
        return now - first.get(counter.text, now)

    def _grown(self, counter: Selector, series: Series) -> float:
        before = self._seen.get(counter.text, {})
        # Keep series that are missing from this scrape: the API may not have answered.
        self._seen[counter.text] = before | series
        if counter.name not in self._scraped:  # the time of these events is unknown
            return 0.0
        grown = ((value, before.get(labels, 0.0)) for labels, value in series.items())
        return sum(value - last if value >= last else value for value, last in grown)


def _series(counter: Selector, samples: Mapping[str, list[MetricSample]]) -> Series:
    return {tuple(each.labels.items()): each.value for each in counter.select(samples)}
