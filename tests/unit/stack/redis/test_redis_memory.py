"""How much memory Redis may take: a quarter of what the machine and its cgroups give."""

from stack.redis.memory import MEMORY_DIVISOR, share
from telemetry.memory import given


def test_redis_gets_a_quarter() -> None:
    assert share() == given() // 4
    assert MEMORY_DIVISOR == 4
