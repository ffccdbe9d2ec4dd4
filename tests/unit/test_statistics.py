"""Counts and percentiles of a version."""

from tasks.ledger.statistics import BUCKETS, increments, parse


def _after(*outcomes: tuple[str, int, float]) -> dict[str, str]:
    fields: dict[str, float] = {}
    for outcome in outcomes:
        flat = increments(*outcome)
        for field, amount in zip(map(str, flat[::2]), flat[1::2], strict=True):
            fields[field] = fields.get(field, 0) + float(amount)
    return {field: str(amount) for field, amount in fields.items()}


def test_outcomes_and_rows_are_counted() -> None:
    fields = _after(("succeeded", 3, 0.01), ("succeeded", 2, 0.02), ("failed", 0, 0.03))

    statistics = parse("churn:4", fields)

    assert (statistics.model, statistics.version) == ("churn", 4)
    assert statistics.outcomes == {"succeeded": 2, "failed": 1, "cancelled": 0}
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


def test_a_clock_that_runs_behind_counts_as_no_time() -> None:
    statistics = parse("m:1", _after(("succeeded", 1, -5.0)))

    assert (statistics.percentile(0.5), statistics.seconds) == (BUCKETS[0], 0.0)


def test_without_outcomes_there_is_no_percentile() -> None:
    assert parse("m:1", {}).percentile(0.5) is None
