"""Makes requests, and repeats those that are safe to repeat."""

from collections.abc import Mapping
from typing import IO, Any

import httpx2

from predictq.errors import PredictqError
from predictq.http.flows import Flow, sent
from predictq.http.retries import Deadline, send_with_retries
from predictq.http.server import Server
from predictq.rows import json_writer

GRACE = 2.0
"""Seconds to wait beyond the deadline, so that the server's 202 at the deadline still arrives."""
CONNECT_TIMEOUT = 5.0
MAX_HOLD_SECONDS = 30
"""Longest `Prefer: wait` in seconds. Proxies usually cut requests off after 60 s."""
MAX_ATTEMPT_SECONDS = 86_400.0
"""Seconds that one attempt may take, since socket timeouts are limited."""
NDJSON = "application/x-ndjson"
IDEMPOTENT = ("GET", "DELETE", "PUT")


class Requests:
    """The requests of one connection, as flows that return the response.

    Each returns the response whatever its status, and raises `Unreachable` if there is none.
    """

    def __init__(self, server: Server, http: httpx2.Client | httpx2.AsyncClient) -> None:
        self._server, self._http = server, http

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str | None = None,
        accept: str | None = None,
        hold: Deadline | None = None,
        until: Deadline | None = None,
    ) -> Flow[httpx2.Response]:
        """Send a request with a JSON body.

        ``key``: idempotency key, which makes a POST safe to repeat. ``accept``: the media type of
        the answer, by default JSON. ``hold``: until when the server is to wait for an outcome.
        ``until``: deadline of the call with its retries.
        """
        content = None if body is None else json_writer.body(body)
        headers = _headers(key, accept)
        request = self._http.build_request(method, path, content=content, headers=headers)
        is_repeatable = method in IDEMPOTENT or bool(key)
        return self._persist(request, hold, until, is_repeatable)

    def post_encoded(
        self,
        path: str,
        body: bytes,
        *,
        content_type: str = NDJSON,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
        accept: str | None = None,
        is_repeatable: bool = True,
        hold: Deadline | None = None,
        until: Deadline | None = None,
    ) -> Flow[httpx2.Response]:
        """POST a body that is encoded already; ``is_repeatable``: whether it is safe to repeat."""
        headers = _headers(key, accept) | {"Content-Type": content_type}
        request = self._http.build_request(
            "POST", path, content=body, params=query, headers=headers
        )
        return self._persist(request, hold, until, is_repeatable)

    def upload(
        self,
        path: str,
        fields: Mapping[str, Any],
        files: Mapping[str, tuple[str, IO[bytes]]],
        *,
        key: str | None = None,
        hold: Deadline | None = None,
        until: Deadline | None = None,
    ) -> Flow[httpx2.Response]:
        """Send a form, streaming its files.

        ``files``: name of the part → name of the file, and the file, which can be read again.
        ``key``: idempotency key, which makes the upload safe to repeat.
        """
        headers = {"Idempotency-Key": key} if key else {}
        request = self._http.build_request("POST", path, data=fields, files=files, headers=headers)
        return self._persist(request, hold, until, is_repeatable=bool(key))

    def _persist(
        self,
        request: httpx2.Request,
        hold: Deadline | None,
        until: Deadline | None,
        is_repeatable: bool,
    ) -> Flow[httpx2.Response]:
        limit = until or self._server.deadline()
        return send_with_retries(
            lambda: self._once(request, hold, limit),
            repeatable=is_repeatable,
            until=lambda: self._server.limit(limit),
        )

    def _once(
        self, request: httpx2.Request, hold: Deadline | None, until: Deadline
    ) -> Flow[httpx2.Response]:
        if self._http.is_closed:
            raise PredictqError("the client is closed")
        if hold:
            # The header has whole seconds. Rounding down would turn just under 1 s into no wait.
            request.headers["Prefer"] = f"wait={round(min(MAX_HOLD_SECONDS, hold.left()))}"
        limit = min(MAX_ATTEMPT_SECONDS, until.left() + GRACE)
        request.extensions["timeout"] = httpx2.Timeout(
            limit, connect=min(limit, CONNECT_TIMEOUT)
        ).as_dict()
        with self._server.converting_errors():
            return (yield from sent(request))


def _headers(key: str | None, accept: str | None) -> dict[str, str]:
    given = {"Idempotency-Key": key, "Accept": accept}
    return {"Content-Type": "application/json"} | {name: v for name, v in given.items() if v}
