"""Limits of keys in the script that accepts: even rates with bursts, each prediction by itself."""

import asyncio
import time
from collections.abc import Callable

import pytest
import redis
from msgspec.structs import replace

from tasks.callers.caller import Limits, Throttle
from tasks.callers.rate import Rate
from tasks.ledger import keys
from tasks.ledger.predictions.acceptance import Offer
from tasks.messages import Idempotency
from telemetry.errors import RateLimited
from tests.integration.ledger.ledger_harness import PREDICTION, LedgerHarness, offer
from tests.support.stack import until

Make = Callable[..., Offer]


@pytest.fixture
def harness(client: redis.Redis) -> LedgerHarness:
    client.flushall()
    return LedgerHarness(client)


def limited(rate: str | None = None, rows: str | None = None, key: str = "a-key") -> Make:
    """Makes offers of a key with these limits."""
    limits = Limits(rate and Rate.parse(rate), rows and Rate.parse(rows))

    def make(task_id: str, many: int = 1, known: Idempotency | None = None) -> Offer:
        of = offer(task_id, replace(PREDICTION, features=[[1.0]] * many), known)
        return replace(of, throttle=Throttle(key, limits))

    return make


def test_burst_is_taken_and_the_next_is_refused(harness: LedgerHarness) -> None:
    make = limited("3/h")
    for number in range(3):
        harness.ledger.accept(make(f"{number}"))
    with pytest.raises(RateLimited, match="3/h requests") as refused:
        harness.ledger.accept(make("late"))
    assert 1100 < refused.value.extra["retry_after"] <= 1200  # a third of an hour
    assert refused.value.extra["headers"]["RateLimit-Policy"] == '"requests";q=3;w=3600'
    assert refused.value.extra["headers"]["RateLimit"].startswith('"requests";r=0;t=1')
    assert harness.client.llen("predict") == 3
    harness.ledger.accept(limited("3/h", key="another")("other"))
    harness.ledger.accept(offer("no limits"))


def test_capacity_comes_back_evenly(harness: LedgerHarness) -> None:
    make = limited("2/s")
    began = time.monotonic()
    taken = 0

    def take() -> bool:
        nonlocal taken
        try:
            harness.ledger.accept(make(f"{taken}"))
        except RateLimited:
            return False
        taken += 1
        return taken == 5

    until(take, "five are accepted")
    assert time.monotonic() - began > 1.4  # two at once, the other three half a second apart


def test_rows_are_limited_and_what_never_fits_is_told(harness: LedgerHarness) -> None:
    make = limited(rows="100/h")
    harness.ledger.accept(make("a", 60))
    with pytest.raises(RateLimited, match="rows"):
        harness.ledger.accept(make("b", 60))
    harness.ledger.accept(make("c", 40))
    with pytest.raises(RateLimited, match="send fewer") as refused:
        harness.ledger.accept(make("d", 101))
    assert "retry_after" not in refused.value.extra


async def _all(harness: LedgerHarness, offers: list[Offer]) -> list[object]:
    return [*await harness.ledger.accept_all_async(offers)]


def test_lines_of_a_bulk_request_count_one_by_one(harness: LedgerHarness) -> None:
    make = limited("2/h")
    answers = asyncio.run(_all(harness, [make(name) for name in "abc"]))
    assert answers[:2] == ["a", "b"]
    assert isinstance(answers[2], RateLimited)


def test_refused_and_repeated_predictions_take_nothing(harness: LedgerHarness) -> None:
    make, key = limited("2/h"), Idempotency("k", "one")
    for _ in range(3):
        assert harness.ledger.accept(make("a", known=key)) == "a"
    narrow = LedgerHarness(harness.client, max_queued=0)
    with pytest.raises(Exception, match="full"):
        narrow.ledger.accept(make("b"))
    harness.ledger.accept(make("c"))
    with pytest.raises(RateLimited):
        harness.ledger.accept(make("d"))


def test_what_is_remembered_of_a_limit_ends_by_itself(harness: LedgerHarness) -> None:
    harness.ledger.accept(limited("100/s")("a"))
    assert 0 < harness.client.ttl(f"{keys.LIMITS}a-key") <= 2


def test_clock_that_goes_back_takes_no_more_than_the_burst(harness: LedgerHarness) -> None:
    make = limited("2/s", rows="100/s")
    ahead = {"requests": time.time() + 3600, "rows": time.time() + 3600}
    harness.client.hset(f"{keys.LIMITS}a-key", mapping=ahead)
    with pytest.raises(RateLimited) as refused:
        harness.ledger.accept(make("a"))
    assert refused.value.extra["retry_after"] == 1

    def take() -> bool:
        try:
            return bool(harness.ledger.accept(make("b")))
        except RateLimited:
            return False

    until(take, "one more, once there is capacity")


def test_what_is_left_is_told_with_each_answer(harness: LedgerHarness) -> None:
    throttle = Throttle("a-key", Limits(Rate.parse("3/h"), Rate.parse("100/m")))

    def left() -> list[tuple[str, int, int]]:
        return [(each.kind, each.amount, each.seconds) for each in throttle.use.left]

    def accept(task_id: str, many: int) -> None:
        of = offer(task_id, replace(PREDICTION, features=[[1.0]] * many))
        harness.ledger.accept(replace(of, throttle=throttle))

    accept("a", 40)
    assert left() == [("requests", 2, 1200), ("rows", 60, 24)]
    with pytest.raises(RateLimited):
        accept("b", 90)
    ((_, requests, _), (_, rows, _)) = left()
    assert (requests, 60 <= rows <= 70) == (2, True)
    asyncio.run(_all(harness, [replace(offer("c"), throttle=throttle)]))
    assert left()[0][1] == 1
