"""HTTP calls to a stack on this machine, by programs that cannot have the client installed."""

from http.client import HTTPConnection, HTTPException

import msgspec

TIMEOUT = 3.0
"""Seconds for connecting, and for each read."""


class CallResult(msgspec.Struct, frozen=True):
    """An HTTP response; status 0 if there was none."""

    status: int
    body: bytes = b""


def call_http(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    key: str | None = None,
    local_key: str | None = None,
    timeout: float = TIMEOUT,
) -> CallResult:
    """Make an HTTP call to 127.0.0.1, never through a proxy; ``key`` is an idempotency key."""
    connection = HTTPConnection("127.0.0.1", port, timeout=timeout)
    headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
    headers |= {"authorization": f"Bearer {local_key}"} if local_key else {}
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return CallResult(response.status, response.read())
    except (OSError, HTTPException):
        return CallResult(0)
    finally:
        connection.close()
