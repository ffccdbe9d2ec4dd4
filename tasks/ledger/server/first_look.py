"""Looks at Redis once, as soon as it answers, and ends a process that cannot work on it."""

import logging
import os
import signal
import threading
from collections.abc import Callable

import redis

from tasks.ledger.server.server import Server, look

log = logging.getLogger(__name__)
AGAIN = 1.0
"""Seconds from one look in vain to the next."""


def accepted(client: redis.Redis) -> Server | None:
    """The server, once it was looked at; None where it is unfit, which is logged."""
    server = look(client)
    for warning in server.warnings:
        log.warning("this Redis puts predictions at risk: %s", warning)
    if server.refusal:
        log.critical("this Redis cannot be used: %s", server.refusal)
        return None
    return server


class FirstLook:
    """A process that must start without Redis looks now, or else beside its work."""

    def __init__(self, client: redis.Redis, then: Callable[[Server], None]) -> None:
        """``then`` is told of a server that is fit."""
        self._client, self._then = client, then

    def take(self) -> None:
        """Look; ends this process where the server is unfit, at once or as soon as it answers."""
        try:
            server = accepted(self._client)
        except redis.RedisError:
            threading.Thread(target=self._take_later, name="first look", daemon=True).start()
            return
        if server is None:
            raise SystemExit(os.EX_CONFIG)
        self._then(server)

    def _take_later(self) -> None:
        over = threading.Event()
        while not over.wait(AGAIN):
            try:
                server = accepted(self._client)
            except redis.RedisError:
                continue
            over.set()
            if server is None:
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                self._then(server)
