"""A stack whose visibility timeout is the shortest; its models sleep and run out of memory."""

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
    """Models that note in a diary what they compute; one of them may sleep for 0.3 s at most."""
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
    with running(home, **given) as stack:
        for name in ("doubling", "sleepy", "hasty", "impatient", "hungry"):
            assert stack.predict(name, [1.0, 0.0]) == [2.0]  # their pace is known from now on
        yield stack


def computed(stack: LiveStack, value: float) -> int:
    """How often a value went through a model that keeps a diary."""
    return (stack.home / "diary").read_text().split().count(str(value))


def holds_nothing(stack: LiveStack) -> bool:
    """Whether every message is gone."""
    with redis.Redis.from_url(stack.redis_url) as client:
        return not client.exists("predict", keys.RESERVED, keys.DUE, keys.ATTEMPTS)
