"""The bounds of a queue fit into Redis's memory."""

from tasks.ledger.queue.bounds import Bounds

GIVEN = Bounds(rows=500_000, bytes=2**30)


def test_queue_bound_is_a_quarter_of_a_small_redis() -> None:
    assert GIVEN.within(512 * 2**20) == Bounds(500_000, 128 * 2**20)


def test_given_bounds_hold_where_redis_has_memory() -> None:
    assert GIVEN.within(16 * 2**30) == GIVEN


def test_queue_bound_is_the_default_without_maxmemory() -> None:
    assert GIVEN.within(0) == GIVEN
