"""How much memory the Redis of `up` may take: a share of what this machine or its cgroup gives."""

from telemetry.memory import given

MEMORY_DIVISOR = 4
"""A quarter: models and their processes need the rest, and Redis needs up to as much again for a
moment, while it writes its log anew."""


def share() -> int:
    """Bytes that Redis may hold before it refuses what would make it hold more."""
    return given() // MEMORY_DIVISOR
