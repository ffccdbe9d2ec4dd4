"""Checks before a worker connects: Redis must be suitable, and must accept writes."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from celery.worker.state import maybe_shutdown

from tasks.ledger import keys
from tasks.ledger.server.outage import Outage
from tasks.ledger.server.refusals import is_refusal
from tasks.ledger.server.startup_check import accepted_server

STOP_CHECK_SECONDS = 0.5
"""Seconds between two checks for a shutdown request while waiting."""


class ServerCheck:
    """Looks at the Redis server before each connection to it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._is_known = False

    def wait(self) -> None:
        """Wait until the server accepts writes; raises `redis.RedisError` if it cannot be reached.

        The first look exits the worker if the server is unsuitable.
        """
        if not self._is_known:
            require_fit(self._client)
            self._is_known = True
        until_it_writes(self._client)


def require_fit(client: redis.Redis) -> None:
    """Exit with `EX_CONFIG` if this Redis server cannot be used at all.

    Raises `redis.RedisError` if it cannot be reached.
    """
    if accepted_server(client) is None:
        raise SystemExit(os.EX_CONFIG)


def until_it_writes(client: redis.Redis) -> None:
    """Wait while the server refuses writes; raises any other `redis.RedisError`."""
    outage = Outage("Redis refuses writes")
    while True:
        try:
            # A write that changes nothing. A full Redis still allows HDEL, and a full Redis is not
            # what we wait for here: workers must connect to empty it.
            client.hdel(keys.RESERVED, "")
        except redis.RedisError as error:
            if not is_refusal(error):
                raise
            _pause(outage.goes_on(error))
        else:
            outage.is_over()
            return


@contextmanager
def refusals_as_loss() -> Iterator[None]:
    """Raise a server's refusal as a `redis.ConnectionError`, so that Celery reconnects."""
    try:
        yield
    except redis.ResponseError as error:
        if is_refusal(error):
            raise redis.ConnectionError(str(error)) from error
        raise


def _pause(seconds: float) -> None:
    """Sleep, but exit within `STOP_CHECK_SECONDS` of a shutdown request."""
    end = time.monotonic() + seconds
    # Celery itself looks for a shutdown only in its event loop, which does not run meanwhile.
    maybe_shutdown()
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, STOP_CHECK_SECONDS))
        maybe_shutdown()
