"""Waits for a Redis that is away: what a process has computed must not be lost for it."""

import time
from collections.abc import Callable
from typing import TypeVar

import redis

from workers.celery.outage import Outage

Result = TypeVar("Result")


def patiently(call: Callable[[], Result]) -> Result:
    """What the call gives, once Redis answers."""
    outage = Outage("the ledger cannot be reached")
    while True:
        try:
            result = call()
        except redis.RedisError as error:
            time.sleep(outage.goes_on(error))
        else:
            outage.is_over()
            return result
