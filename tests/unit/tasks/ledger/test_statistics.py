"""Counts and percentiles of a version."""

from collections import Counter

from tasks.ledger.statistics import BUCKETS, bucket, parse


def _after(*outcomes: tuple[str, int, float]) -> dict[str, str]:
    """The hash that the settle script makes of such outcomes."""
    fields: Counter[str] = Counter()
    for state, rows, seconds in outcomes:
        fields.update({state: 1, "rows": rows, str(bucket(seconds)): 1})
    return {field: str(count) for field, count in fields.items()}


def test_outcomes_and_rows_are_counted() -> None:
    fields = _after(("succeeded", 3, 0.01), ("succeeded", 2, 0.02), ("failed", 0, 0.03))

    statistics = parse("churn:4", fields)

    assert (statistics.model, statistics.version) == ("churn", 4)
    assert statistics.outcomes == {"succeeded": 2, "failed": 1, "cancelled": 0, "expired": 0}
    assert statistics.rows == 5


def test_a_percentile_is_the_upper_bound_of_its_bucket() -> None:
    quick, slow = ("succeeded", 1, 0.010), ("succeeded", 1, 2.0)

    statistics = parse("m:1", _after(*[quick] * 98, *[slow] * 2))

    median, last = statistics.percentile(0.50), statistics.percentile(0.99)
    assert 0.010 <= median <= 0.010 * 1.25
    assert 2.0 <= last <= 2.0 * 1.25


def test_what_takes_longer_than_the_last_bucket_is_counted_all_the_same() -> None:
    statistics = parse("m:1", _after(("succeeded", 1, 1e9)))

    assert statistics.percentile(0.5) == BUCKETS[-1]


def test_without_outcomes_there_is_no_percentile() -> None:
    assert parse("m:1", {}).percentile(0.5) is None
