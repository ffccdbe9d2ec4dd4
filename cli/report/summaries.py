"""Summaries of minutes: counts, latencies by percentile, times in the queue and in the model."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import accumulate

import msgspec

from tasks.ledger.statistics import BUCKETS
from tasks.timeline.call_sums import CallSums
from tasks.timeline.minute import Minute, VersionMinute


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was done in some minutes; null where nothing was counted."""

    predictions: int
    """Outcomes."""
    succeeded: int
    failed: int
    cancelled: int
    expired: int
    rows: int
    per_second: float
    """Outcomes a second."""
    failed_share: float | None
    """failed / (succeeded + failed)."""
    p50: float | None
    """Seconds from acceptance to outcome, as the upper bound of a bucket; so p95 and p99."""
    p95: float | None
    p99: float | None
    queue_seconds: float | None
    """Mean time from acceptance to the model call."""
    model_seconds: float | None
    """Mean time of a model call."""
    batch_size: float | None
    """Mean rows of a model call."""
    requests_per_call: float | None
    call_seconds: float | None
    """What a model call takes whatever its rows, and `row_seconds` what each row adds, fitted to
    the calls; null if they do not tell."""
    row_seconds: float | None


def summed_up(minutes: Sequence[VersionMinute], seconds: float) -> Summary:
    """Sum up minutes of one version or several, over a period of so many seconds."""
    outcomes: Counter[str] = Counter()
    histogram: Counter[int] = Counter()
    for minute in minutes:
        outcomes.update(minute.outcomes)
        histogram.update(minute.histogram)
    calls = sum((minute.calls for minute in minutes), CallSums())
    of_call, of_row = calls.fitted() or (None, None)
    succeeded, failed = outcomes["succeeded"], outcomes["failed"]
    return Summary(
        predictions=outcomes.total(),
        succeeded=succeeded,
        failed=failed,
        cancelled=outcomes["cancelled"],
        expired=outcomes["expired"],
        rows=sum(minute.rows for minute in minutes),
        per_second=outcomes.total() / seconds if seconds else 0.0,
        failed_share=_ratio(failed, succeeded + failed),
        p50=_percentile(histogram, 0.50),
        p95=_percentile(histogram, 0.95),
        p99=_percentile(histogram, 0.99),
        queue_seconds=_ratio(calls.queue_us / 1e6, calls.requests),
        model_seconds=_ratio(calls.model_us / 1e6, calls.calls),
        batch_size=_ratio(calls.rows, calls.calls),
        requests_per_call=_ratio(calls.requests, calls.calls),
        call_seconds=None if of_call is None else of_call / 1e6,
        row_seconds=None if of_row is None else of_row / 1e6,
    )


def of_all(minutes: Iterable[Minute]) -> list[VersionMinute]:
    """What all versions did in these minutes."""
    return [each for minute in minutes for each in minute.versions.values()]


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percentile(histogram: Counter[int], share: float) -> float | None:
    counted = list(accumulate(histogram[place] for place in range(len(BUCKETS) + 1)))
    if not counted[-1]:
        return None
    return BUCKETS[min(bisect_left(counted, share * counted[-1]), len(BUCKETS) - 1)]
