"""The way to one server: its address, its connections, and how long a call may take."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import httpx2

from predictq.retries import Clock, Deadline, persist, unreachable

GRACE = 2.0
"""Seconds an answer may take beyond the deadline, so that the server's own 202 arrives."""
CONNECT = 5.0
LONGEST_HOLD = 30
"""Seconds that one request asks the server to hold its answer; proxies cut at 60."""
SILENCE = 15.0
"""Seconds without a byte after which a stream counts as broken; its server says more often."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
IDEMPOTENT = ("GET", "DELETE")


class Connection:
    """Sends requests, repeating those that are safe to repeat."""

    def __init__(self, url: str | None, timeout: float, clock: Clock) -> None:
        base = _address(url or default_url())
        self.is_local = base.host in LOOPBACK
        """Whether the server is on this machine, as far as its address says."""
        # What a proxy calls loopback is itself.
        self._http = httpx2.Client(base_url=base, trust_env=not self.is_local)
        self._timeout = timeout
        self._clock = clock

    def deadline(self, seconds: float | None = None) -> Deadline:
        """The moment ``seconds`` from now, the default timeout without."""
        return Deadline.after(self._timeout if seconds is None else seconds, self._clock)

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
        content = None if body is None else json.dumps(body, separators=(",", ":"))
        request = self._http.build_request(method, path, content=content, headers=_headers(key))
        return persist(
            lambda: self._once(request, hold, until),
            repeatable=method in IDEMPOTENT or bool(key),
            until=until,
        )

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
        until = self.deadline()
        return persist(lambda: self._once(request, hold, until), repeatable=False, until=until)

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, until: Deadline | None = None
    ) -> Iterator[httpx2.Response]:
        """The answer to a GET, its body still to be read unless it is a refusal.

        Raises `Unreachable` where it breaks off, or falls silent, or could not be had ``until``.
        """
        limit = min(SILENCE, until.left() + GRACE) if until else SILENCE
        timeout = httpx2.Timeout(limit, connect=min(limit, CONNECT))
        try:
            with self._http.stream("GET", path, headers=headers, timeout=timeout) as response:
                if not response.is_success:
                    response.read()
                yield response
        except httpx2.RequestError as error:
            raise unreachable(error) from error

    def close(self) -> None:
        self._http.close()

    def _once(
        self, request: httpx2.Request, hold: Deadline | None, until: Deadline
    ) -> httpx2.Response:
        if hold:
            # The header knows whole seconds only; rounding down would make 1 s no wait at all.
            request.headers["Prefer"] = f"wait={min(LONGEST_HOLD, round(hold.left()))}"
        limit = until.left() + GRACE
        request.extensions["timeout"] = httpx2.Timeout(limit, connect=min(limit, CONNECT)).as_dict()
        return self._http.send(request)


def _address(url: str) -> httpx2.URL:
    try:
        address = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ValueError(f"not an address: {url!r}: {error}") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise ValueError(f"not an http address: {url!r}")
    return address


def _headers(key: str | None) -> dict[str, str]:
    return {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})


def default_url() -> str:
    """``PREDICTQ_URL``, else this machine."""
    port = os.environ.get("PREDICTQ_PORT") or "5000"
    return os.environ.get("PREDICTQ_URL") or f"http://127.0.0.1:{port}"
