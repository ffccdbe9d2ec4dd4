"""Waits for a Redis that is away: what a process has computed must not be lost for it."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import redis

log = logging.getLogger(__name__)
RETRY_AFTER = 0.5
"""Seconds after which one tries again."""
Result = TypeVar("Result")


def patiently(call: Callable[[], Result]) -> Result:
    """What the call gives, once Redis answers."""
    while True:
        try:
            return call()
        except redis.RedisError as error:
            log.warning("the ledger cannot be reached: %s", error)
            time.sleep(RETRY_AFTER)
