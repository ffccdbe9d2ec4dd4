"""Connections to one server, with timeouts and retries."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import httpx2

from predictq.errors import PredictqError
from predictq.http.address import address, unreachable
from predictq.http.finding import find
from predictq.http.keys import authorization
from predictq.http.retries import Clock, Deadline, send_with_retries
from predictq.rows import json_writer

GRACE = 2.0
"""Seconds to wait beyond the deadline, so that the server's 202 at the deadline still arrives."""
CONNECT_TIMEOUT = 5.0
MAX_HOLD_SECONDS = 30
"""Longest `Prefer: wait` in seconds. Proxies usually cut requests off after 60 s."""
MAX_SILENCE_SECONDS = 15.0
"""Seconds without a byte after which a stream counts as broken; the server sends more often."""
MAX_ATTEMPT_SECONDS = 86_400.0
"""Seconds that one attempt may take, since socket timeouts are limited."""
UNSEEN_SERVER_SECONDS = 3.0
"""Default seconds after which a server to which there never was a connection is given up."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NDJSON = "application/x-ndjson"
IDEMPOTENT = ("GET", "DELETE", "PUT")


class Connection:
    """Sends requests, and retries those that are safe to repeat."""

    def __init__(
        self,
        url: str | None,
        timeout: float,
        clock: Clock,
        unreached: float = UNSEEN_SERVER_SECONDS,
    ) -> None:
        self._address = find(url)
        base = address(self._address)
        self.is_local = base.host in LOOPBACK
        """Whether the server's address is a loopback address."""
        # Bypass proxies for loopback addresses, which at the proxy would mean itself.
        self._http = httpx2.Client(
            base_url=base, trust_env=not self.is_local, headers=authorization(base)
        )
        self._timeout = timeout
        self._unreached = unreached
        self._is_met = False
        self._clock = clock

    def deadline(self, seconds: float | None = None) -> Deadline:
        """The deadline in ``seconds``, by default the client's timeout."""
        if seconds is None:
            return Deadline.after(self._timeout, self._clock, self._unreached)
        return Deadline.after(seconds, self._clock)

    def limit(self, deadline: Deadline) -> Deadline:
        """The deadline, or an earlier one if the server was never reached."""
        return deadline if self._is_met else deadline.if_never_reached()

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
        """Return the response, whatever its status; raises `Unreachable` if there is none.

        ``key``: idempotency key, which makes a POST safe to repeat. ``hold``: until when the
        server is to wait for an outcome. ``until``: deadline of the call with its retries.
        """
        until = until or self.deadline()
        content = None if body is None else json_writer.body(body)
        request = self._http.build_request(method, path, content=content, headers=_headers(key))
        is_repeatable = method in IDEMPOTENT or bool(key)
        return self._persist(request, hold, until, is_repeatable)

    def post_lines(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str = NDJSON,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
        hold: Deadline | None = None,
        until: Deadline | None = None,
    ) -> httpx2.Response:
        """POST a body that is encoded already, and safe to send twice; raises like `send`."""
        headers = _headers(key) | {"Content-Type": content_type}
        request = self._http.build_request(
            "POST", path, content=body, params=query, headers=headers
        )
        return self._persist(request, hold, until or self.deadline(), is_repeatable=True)

    def upload(
        self,
        path: str,
        fields: Mapping[str, Any],
        files: Mapping[str, tuple[str, IO[bytes]]],
        *,
        key: str | None = None,
        hold: Deadline | None = None,
        until: Deadline | None = None,
    ) -> httpx2.Response:
        """Send a form, streaming its files; raises like `send`.

        ``files``: name of the part → name of the file, and the file, which can be read again.
        ``key``: idempotency key, which makes the upload safe to repeat.
        """
        headers = {"Idempotency-Key": key} if key else {}
        request = self._http.build_request("POST", path, data=fields, files=files, headers=headers)
        return self._persist(request, hold, until or self.deadline(), is_repeatable=bool(key))

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str] | None = None, until: Deadline | None = None
    ) -> Iterator[httpx2.Response]:
        """The response to a GET; the body is read only for an error status.

        Raises `Unreachable` if the connection breaks, stays silent, or is not made ``until`` then.
        """
        limit = min(MAX_SILENCE_SECONDS, until.left() + GRACE) if until else MAX_SILENCE_SECONDS
        timeout = httpx2.Timeout(limit, connect=min(limit, CONNECT_TIMEOUT))
        with (
            self._converting_errors(),
            self._http.stream("GET", path, headers=headers, timeout=timeout) as got,
        ):
            if not got.is_success:
                got.read()
            self._is_met = True
            yield got

    def close(self) -> None:
        self._http.close()

    def _persist(
        self, request: httpx2.Request, hold: Deadline | None, until: Deadline, is_repeatable: bool
    ) -> httpx2.Response:
        return send_with_retries(
            lambda: self._once(request, hold, until),
            repeatable=is_repeatable,
            until=lambda: self.limit(until),
        )

    def _once(
        self, request: httpx2.Request, hold: Deadline | None, until: Deadline
    ) -> httpx2.Response:
        if hold:
            # The header has whole seconds. Rounding down would turn just under 1 s into no wait.
            request.headers["Prefer"] = f"wait={round(min(MAX_HOLD_SECONDS, hold.left()))}"
        limit = min(MAX_ATTEMPT_SECONDS, until.left() + GRACE)
        request.extensions["timeout"] = httpx2.Timeout(
            limit, connect=min(limit, CONNECT_TIMEOUT)
        ).as_dict()
        with self._converting_errors():
            return self._http.send(request)

    @contextmanager
    def _converting_errors(self) -> Iterator[None]:
        """Turn errors of httpx into ours, and note whether the server was reached."""
        if self._http.is_closed:
            raise PredictqError("the client is closed")
        try:
            yield
        except httpx2.RequestError as error:
            failure = unreachable(error, self._address)
            self._is_met |= failure.sent
            raise failure from error
        self._is_met = True


def _headers(key: str | None) -> dict[str, str]:
    return {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
