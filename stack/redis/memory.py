"""The memory limit of the Redis of `up`: a share of this machine's memory, or of its cgroup's."""

from telemetry.memory import available_memory

MEMORY_DIVISOR = 4
"""A quarter for Redis. Models and worker processes need the rest, and Redis itself may take twice
its data for a moment while it rewrites its log."""


def share() -> int:
    """Redis's ``maxmemory`` in bytes; beyond it Redis refuses writes."""
    return available_memory() // MEMORY_DIVISOR
