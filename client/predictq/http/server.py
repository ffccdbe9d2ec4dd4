"""The server: its address, how long to wait for it, and the errors of connections to it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from predictq import arguments
from predictq.http.address import address, unreachable
from predictq.http.address_search import find
from predictq.http.keys import GivenKey, authorization
from predictq.http.retries import Clock, Deadline

DEFAULT_TIMEOUT = 120.0
"""Seconds that a call may take. Four times as long as predictions take to recover from a killed
worker, so that `predict` outlasts one."""
UNSEEN_SERVER_SECONDS = 3.0
"""Default seconds after which a server to which there never was a connection is given up."""
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")


class Server:
    """One server, and whether it was ever reached."""

    def __init__(
        self,
        url: str | None,
        timeout: float | None,
        clock: Clock,
        unreached: float | None = None,
        key: GivenKey | None = None,
    ) -> None:
        """Find it; see `Client` for ``url``, ``timeout`` and ``key``.

        ``unreached``: seconds after which a server to which there never was a connection is given
        up; by default the timeout if one is given, else `UNSEEN_SERVER_SECONDS`.
        """
        limit = DEFAULT_TIMEOUT if timeout is None else arguments.seconds("timeout", timeout)
        self._found = find(url)
        self._base = address(self._found)
        self._authorization = authorization(self._base, key)
        self.clock = clock
        self.is_local = self._base.host in LOOPBACK_HOSTS
        """Whether the server's address is a loopback address."""
        self._timeout = limit
        if unreached is None:
            unreached = UNSEEN_SERVER_SECONDS if timeout is None else limit
        self._unreached = unreached
        self.is_met = False
        """Whether there ever was a connection to it."""

    def client_options(self) -> dict[str, Any]:
        """Arguments for a client of httpx."""
        # Bypass proxies for loopback addresses, which at the proxy would mean itself.
        return {
            "base_url": self._base,
            "trust_env": not self.is_local,
            "auth": self._authorization,
            "verify": _verification(self._base.scheme),
        }

    def deadline(self, seconds: float | None = None) -> Deadline:
        """The deadline in ``seconds``, by default the client's timeout."""
        if seconds is None:
            return Deadline.after(self._timeout, self.clock, self._unreached)
        return Deadline.after(seconds, self.clock)

    def limit(self, deadline: Deadline) -> Deadline:
        """The deadline, or an earlier one if the server was never reached."""
        return deadline if self.is_met else deadline.if_never_reached()

    @contextmanager
    def converting_errors(self) -> Iterator[None]:
        """Turn errors of httpx into `Unreachable`, and note whether the server was reached."""
        try:
            yield
        except httpx2.RequestError as error:
            failure = unreachable(error, self._found)
            self.is_met |= failure.sent
            raise failure from error
        self.is_met = True


def _verification(scheme: str) -> ssl.SSLContext | bool:
    """What checks certificates: by default the machine's authorities, which take 30 ms to read.

    Over plain HTTP there is no certificate, so none of them is trusted, and none is read.
    """
    return True if scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
