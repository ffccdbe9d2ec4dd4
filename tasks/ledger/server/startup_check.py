"""Checks Redis once, as soon as it answers, and ends a process that cannot work with it."""

import logging
import os
import signal
import threading
from collections.abc import Callable

import redis

from tasks.ledger.server.server import Server, look

log = logging.getLogger(__name__)
RECHECK_SECONDS = 1.0
"""Seconds between attempts to reach Redis."""


def accepted_server(client: redis.Redis) -> Server | None:
    """The server if it is fit, else None; warnings and the refusal are logged."""
    server = look(client)
    for warning in server.warnings:
        log.warning("this Redis may lose predictions: %s", warning)
    if server.refusal:
        log.critical("this Redis cannot be used: %s", server.refusal)
        return None
    return server


class StartupCheck:
    """The check of a process that must start even without Redis."""

    def __init__(self, client: redis.Redis, then: Callable[[Server], None]) -> None:
        """``then`` is called with a fit server."""
        self._client, self._then = client, then

    def run(self) -> None:
        """Check now, or in a thread once Redis answers; an unfit server ends this process."""
        try:
            server = accepted_server(self._client)
        except redis.RedisError:
            threading.Thread(target=self._run_later, name="startup check", daemon=True).start()
            return
        if server is None:
            raise SystemExit(os.EX_CONFIG)
        self._then(server)

    def _run_later(self) -> None:
        over = threading.Event()
        while not over.wait(RECHECK_SECONDS):
            try:
                server = accepted_server(self._client)
            except redis.RedisError:
                continue
            over.set()
            if server is None:
                # In a thread, `SystemExit` would end only that thread.
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                self._then(server)
