"""Parses the server's address, and reports when it cannot be reached."""

import httpx2

from predictq import arguments
from predictq.errors import Detail, InvalidRequest, Unreachable
from predictq.http.address_search import FoundAddress

LAST_PORT = 65_535
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
ADVICE = "start one with `predictq up`, or set PREDICTQ_URL"


def address(found: FoundAddress) -> httpx2.URL:
    """Parse an address; raises `InvalidRequest` if it is not an HTTP address."""
    given = arguments.text("url", found.url)
    try:
        url = httpx2.URL(given)
    except (httpx2.InvalidURL, ValueError) as error:
        raise _refused(f"not an address{found.reason}: {given!r}: {error}") from error
    has_port = url.port is None or 0 < url.port <= LAST_PORT
    if url.scheme not in ("http", "https") or not url.host or not has_port:
        raise _refused(f"not an http address{found.reason}: {given!r}")
    return url


def unreachable(error: httpx2.RequestError, found: FoundAddress) -> Unreachable:
    """Turn an error of httpx into `Unreachable`."""
    url = error.request.url
    # Only host and port, since a url may contain a password.
    server, told = url.netloc.decode(), str(error) or type(error).__name__
    if not isinstance(error, NOT_SENT):
        return Unreachable(f"no answer from {server}: {told}", sent=True)
    what = f"no predictq answers at {url.scheme}://{server}{found.reason}: {told}"
    return Unreachable(f"{what}; {ADVICE}", sent=False)


def _refused(told: str) -> InvalidRequest:
    return InvalidRequest(422, "invalid", told, (Detail(("url",), told),))
