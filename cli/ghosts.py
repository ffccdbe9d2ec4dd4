"""Removes ghosts: what Redis still knows of versions removed from the registry."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import click
import redis

from registry.store import Registry
from stack.running import running_stack
from tasks.ledger.ghosts import Ghosts, RemovedGhost
from tasks.ledger.ledger import connect
from tasks.settings import Settings

REDIS_TIMEOUT = 10.0
"""Seconds that one call to Redis may take."""


def redis_of(home: Path) -> str | None:
    """URL of the Redis of the stack that runs on a home, else REDIS_URL."""
    stack = running_stack(home)
    return (stack and stack.redis_url) or os.environ.get("REDIS_URL")


def remove_ghosts(
    redis_url: str | None, versions: Iterable[str], tell: Callable[[str], None] = click.echo
) -> None:
    """Remove each model:version from Redis; without a Redis, the next `up` does."""
    if not redis_url:
        return
    with connect(redis_url, REDIS_TIMEOUT) as client:
        ghosts = Ghosts(client, Settings.from_environment())
        for version in versions:
            try:
                _report(version, ghosts.remove(version), tell)
            except redis.RedisError as error:
                tell(f"Redis keeps data of {version} until the next start: {error}")


def remove_all_ghosts(home: Path, redis_url: str) -> None:
    """Remove all ghosts from Redis."""
    registry = Registry(home)
    with connect(redis_url, REDIS_TIMEOUT) as client, suppress(redis.RedisError):
        known = Ghosts(client, Settings.from_environment()).known()
        remove_ghosts(redis_url, sorted(filter(registry.has_removed, known)))


def _report(version: str, removed: RemovedGhost, tell: Callable[[str], None]) -> None:
    if removed.letters:
        letters = f"{removed.letters:,} dead letter{'s' * (removed.letters > 1)}"
        tell(f"removed {letters} of {version}")
    if removed.parked:
        tell(f"{removed.parked:,} parked predictions of {version} fail now")
