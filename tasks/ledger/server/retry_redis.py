"""Retries calls while Redis is unreachable, so that computed predictions are not lost."""

import time
from collections.abc import Callable
from typing import TypeVar

import redis

from tasks.ledger.server.outage import Outage

Result = TypeVar("Result")


def retry_until_answered(call: Callable[[], Result]) -> Result:
    """Repeat ``call`` until it raises no `redis.RedisError`, and return its result.

    Waits between tries as `tasks.ledger.server.outage.Outage` does; never gives up.
    """
    outage = Outage("the ledger cannot be reached")
    while True:
        try:
            result = call()
        except redis.RedisError as error:
            time.sleep(outage.goes_on(error))
        else:
            outage.is_over()
            return result
