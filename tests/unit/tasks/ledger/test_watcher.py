"""Waits leave nothing behind, however they end."""

from typing import Any

import pytest
import redis

from tasks.ledger.watcher import Watcher


class Away:
    """A Redis that refuses subscriptions."""

    def pubsub(self, **_: Any) -> "Away":
        return self

    def subscribe(self, _: str) -> None:
        raise redis.ConnectionError("it is away")

    def unsubscribe(self, _: str) -> None:
        raise redis.ConnectionError("it is away")


def test_failed_wait_leaves_no_event_behind() -> None:
    watcher = Watcher(Away())
    for _ in range(100):
        with pytest.raises(redis.ConnectionError), watcher.watching("channel"):
            raise AssertionError("nobody can wait")
    assert watcher._waiting == {}
