"""Counts and percentiles of a version."""

from collections import Counter

from tasks.ledger.statistics import BUCKETS, ReuseCounts, bucket, parse_statistics


def _after(*outcomes: tuple[str, int, float]) -> dict[str, str]:
    """The statistics hash that settle.lua would write for these outcomes."""
    fields: Counter[str] = Counter()
    for state, rows, seconds in outcomes:
        fields.update({state: 1, "rows": rows, str(bucket(seconds)): 1})
    return {field: str(count) for field, count in fields.items()}


def test_outcomes_and_rows_are_counted() -> None:
    fields = _after(("succeeded", 3, 0.01), ("succeeded", 2, 0.02), ("failed", 0, 0.03))

    statistics = parse_statistics("churn:4", fields)

    assert (statistics.model, statistics.version) == ("churn", 4)
    assert statistics.outcomes == {"succeeded": 2, "failed": 1, "cancelled": 0, "expired": 0}
    assert statistics.rows == 5


def test_percentile_is_the_upper_bound_of_its_bucket() -> None:
    quick, slow = ("succeeded", 1, 0.010), ("succeeded", 1, 2.0)

    statistics = parse_statistics("m:1", _after(*[quick] * 98, *[slow] * 2))

    median, last = statistics.percentile(0.50), statistics.percentile(0.99)
    assert 0.010 <= median <= 0.010 * 1.25
    assert 2.0 <= last <= 2.0 * 1.25


def test_duration_beyond_the_last_bucket_is_counted() -> None:
    statistics = parse_statistics("m:1", _after(("succeeded", 1, 1e9)))

    assert statistics.percentile(0.5) == BUCKETS[-1]


def test_percentile_without_outcomes_is_none() -> None:
    assert parse_statistics("m:1", {}).percentile(0.5) is None


def test_reuse_is_counted_beside_outcomes() -> None:
    statistics = parse_statistics("m:1", _after(("succeeded", 1, 0.1)), {"hits": "3", "ms": "1.5"})

    assert statistics.reuse == ReuseCounts(hits=3, ms=1.5)
    assert statistics.outcomes["succeeded"] == 1
