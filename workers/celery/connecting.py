"""The start of a worker's connection: to a Redis that can be worked on, and that writes now."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from celery.worker.state import maybe_shutdown

from tasks.ledger import keys
from tasks.ledger.server.first_look import accepted
from tasks.ledger.server.refusals import is_refusal
from workers.celery.outage import Outage

STOP_CHECK_SECONDS = 0.5
"""Seconds after which a worker that waits sees that it shall end."""


def require_fit(client: redis.Redis) -> None:
    """End this worker where Redis can never be worked on; raises `redis.RedisError` without it."""
    if accepted(client) is None:
        raise SystemExit(os.EX_CONFIG)


def until_it_writes(client: redis.Redis) -> None:
    """Wait while the server refuses to write; whatever else is wrong is raised."""
    outage = Outage("Redis takes no writes")
    while True:
        try:
            # A write that changes nothing, and that a full Redis allows.
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
    """Raise what a server refuses as the loss of its connection, by which Celery connects anew."""
    try:
        yield
    except redis.ResponseError as error:
        if is_refusal(error):
            raise redis.ConnectionError(str(error)) from error
        raise


def _pause(seconds: float) -> None:
    """Wait, but not for longer than a turn once the worker is asked to end."""
    end = time.monotonic() + seconds
    maybe_shutdown()
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, STOP_CHECK_SECONDS))
        maybe_shutdown()
