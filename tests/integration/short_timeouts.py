"""A stack with the shortest visibility timeout; its models sleep or run out of memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tasks.ledger import keys
from tests.support.models import Doubling, Hungry, Sleepy, register
from tests.support.stack import LiveStack, running

VISIBILITY = 2.0
"""Seconds; no shorter timeout is taken."""


@contextmanager
def clocked(home: Path, **environment: str) -> Iterator[LiveStack]:
    """Models that record computed values in a diary; one has a time limit of 0.3 s."""
    diary, pantry = home / "diary", home / "pantry"
    diary.touch()
    pantry.touch()
    example = [[1.0, 0.0]]
    register(home, "doubling", Doubling(), example)
    register(home, "sleepy", Sleepy(str(diary)), example)
    register(home, "hasty", Sleepy(str(diary)), example, timeout_seconds=0.3)
    register(home, "impatient", Sleepy(str(diary)), example, max_queue_seconds=0.3)
    register(home, "hungry", Hungry(str(diary), str(pantry)), example)
    given = {"PREDICTQ_VISIBILITY_TIMEOUT": str(VISIBILITY), **environment}
    with running(home, forks=True, **given) as stack:
        for name in ("doubling", "sleepy", "hasty", "impatient", "hungry"):
            assert stack.predict(name, [1.0, 0.0]) == [2.0]  # its batch size is known now
        yield stack


def computed(stack: LiveStack, value: float) -> int:
    """How often the models with a diary computed a value."""
    return (stack.home / "diary").read_text().split().count(str(value))


def holds_nothing(stack: LiveStack) -> bool:
    """Whether no message is queued or reserved."""
    with redis.Redis.from_url(stack.redis_url) as client:
        return not client.exists("predict", keys.RESERVED, keys.DUE, keys.ATTEMPTS)
