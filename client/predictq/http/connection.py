"""The way to one server: its address, its connections, and how long a call may take."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import httpx2

from predictq.errors import PredictqError
from predictq.http.address import address, unreachable
from predictq.http.finding import find
from predictq.http.keys import authorization
from predictq.http.retries import Clock, Deadline, persist
from predictq.rows import json_writer

GRACE = 2.0
"""Seconds an answer may take beyond the deadline, so that the server's own 202 arrives."""
CONNECT = 5.0
LONGEST_HOLD = 30
"""Seconds that one request asks the server to hold its answer; proxies cut at 60."""
SILENCE = 15.0
"""Seconds without a byte after which a stream counts as broken; its server says more often."""
LONGEST_LIMIT = 86_400.0
"""Seconds that one attempt may take, since a socket knows no larger ones."""
UNMET = 3.0
"""Seconds after which a server that nobody ever reached is given up, unless told otherwise."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
IDEMPOTENT = ("GET", "DELETE")


class Connection:
    """Sends requests, repeating those that are safe to repeat."""

    def __init__(self, url: str | None, timeout: float, clock: Clock, unmet: float = UNMET) -> None:
        self._place = find(url)
        base = address(self._place)
        self.is_local = base.host in LOOPBACK
        """Whether the server is on this machine, as far as its address says."""
        # What a proxy calls loopback is itself.
        self._http = httpx2.Client(
            base_url=base, trust_env=not self.is_local, headers=authorization(base)
        )
        self._timeout = timeout
        self._unmet = unmet
        self._is_met = False
        self._clock = clock

    def deadline(self, seconds: float | None = None) -> Deadline:
        """The moment ``seconds`` from now, the default timeout without."""
        if seconds is None:
            return Deadline.after(self._timeout, self._clock, self._unmet)
        return Deadline.after(seconds, self._clock)

    def limit(self, deadline: Deadline) -> Deadline:
        """The deadline that counts, by whether the server was ever reached."""
        return deadline if self._is_met else deadline.unmet()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str | None = None,
        hold: Deadline | None = None,
        until: Deadline | None = None,
    ) -> httpx2.Response:
        """Give the answer, whatever its status; raises `Unreachable` when there is none.

        ``key`` makes a POST safe to repeat; ``hold`` asks the server to wait for an outcome.
        """
        until = until or self.deadline()
        content = None if body is None else json_writer.body(body)
        request = self._http.build_request(method, path, content=content, headers=_headers(key))
        is_repeatable = method in IDEMPOTENT or bool(key)
        return self._persist(request, hold, until, is_repeatable)

    def upload(
        self,
        path: str,
        fields: Mapping[str, Any],
        name: str,
        file: IO[bytes],
        hold: Deadline | None = None,
    ) -> httpx2.Response:
        """Send a form whose part ``file`` is read piece by piece; raises as `send`."""
        request = self._http.build_request("POST", path, data=fields, files={"file": (name, file)})
        return self._persist(request, hold, self.deadline(), is_repeatable=False)

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, until: Deadline | None = None
    ) -> Iterator[httpx2.Response]:
        """The answer to a GET, its body still to be read unless it is a refusal.

        Raises `Unreachable` where it breaks off, or falls silent, or could not be had ``until``.
        """
        limit = min(SILENCE, until.left() + GRACE) if until else SILENCE
        timeout = httpx2.Timeout(limit, connect=min(limit, CONNECT))
        with self._told(), self._http.stream("GET", path, headers=headers, timeout=timeout) as got:
            if not got.is_success:
                got.read()
            self._is_met = True
            yield got

    def close(self) -> None:
        self._http.close()

    def _persist(
        self, request: httpx2.Request, hold: Deadline | None, until: Deadline, is_repeatable: bool
    ) -> httpx2.Response:
        return persist(
            lambda: self._once(request, hold, until),
            repeatable=is_repeatable,
            until=lambda: self.limit(until),
        )

    def _once(
        self, request: httpx2.Request, hold: Deadline | None, until: Deadline
    ) -> httpx2.Response:
        if hold:
            # The header knows whole seconds only; rounding down would make 1 s no wait at all.
            request.headers["Prefer"] = f"wait={round(min(LONGEST_HOLD, hold.left()))}"
        limit = min(LONGEST_LIMIT, until.left() + GRACE)
        request.extensions["timeout"] = httpx2.Timeout(limit, connect=min(limit, CONNECT)).as_dict()
        with self._told():
            return self._http.send(request)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what goes wrong in words of ours, and note whether there is a server."""
        if self._http.is_closed:
            raise PredictqError("the client is closed")
        try:
            yield
        except httpx2.RequestError as error:
            failure = unreachable(error, self._place)
            self._is_met |= failure.sent
            raise failure from error
        self._is_met = True


def _headers(key: str | None) -> dict[str, str]:
    return {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
