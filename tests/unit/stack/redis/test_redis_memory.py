"""Redis may take a quarter of the memory of the machine or its cgroup."""

from stack.redis.memory import MEMORY_DIVISOR, share
from telemetry.memory import available_memory


def test_redis_memory_is_a_quarter_of_the_machine() -> None:
    assert share() == available_memory() // 4
    assert MEMORY_DIVISOR == 4
