"""Misdirected, cross-site and oversized requests are refused before anything else."""

import asyncio
from typing import Any

import pytest

from api.asgi.cross_origin import CrossOrigin
from api.asgi.request_filter import MAX_FIELD_BYTES, MAX_HEAD_BYTES, SECURITY_HEADERS, RequestFilter
from api.operations.request_metrics import RequestMetrics
from tasks.hosts import Hosts

HOST = (b"host", b"localhost:5000")


class Behind:
    """An application that records that it was called, and answers."""

    def __init__(self, listed: str = "") -> None:
        """``listed``: origins whose pages may read answers."""
        self.asked = 0
        self.told: list[Any] = []
        hosts, origins = Hosts("127.0.0.1", "app.example"), CrossOrigin(listed)
        self.app = RequestFilter(self, hosts, origins, RequestMetrics())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    def ask(self, *headers: tuple[bytes, bytes], method: str = "GET", **scope: Any) -> int:
        """The status of the answer."""
        asked: Any = {"type": "http", "method": method, "path": "/", "query_string": b""}
        self.told.clear()

        async def send(event: Any) -> None:
            self.told.append(event)

        async def receive() -> Any:
            raise AssertionError("nothing is read")

        asyncio.run(self.app({**asked, "headers": headers, **scope}, receive, send))
        status: int = self.told[0]["status"]
        return status


def test_own_host_is_handed_on_with_headers_for_browsers() -> None:
    behind = Behind()
    assert behind.ask(HOST) == 200
    assert behind.told[0]["headers"] == [(b"a", b"b"), *SECURITY_HEADERS]
    assert behind.asked == 1


@pytest.mark.parametrize("hosts", [[], [(b"host", b"evil.example")], [HOST, HOST]])
def test_foreign_host_is_misdirected(hosts: Any) -> None:
    behind = Behind()
    assert behind.ask(*hosts) == 421
    assert (b"content-type", b"application/problem+json") in behind.told[0]["headers"]
    assert set(SECURITY_HEADERS) <= set(behind.told[0]["headers"])
    assert behind.asked == 0


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        ({"method": "get"}, 501),
        ({"method": "Post"}, 501),
        ({"method": "QUERY"}, 200),
        ({"path": "//predict/batch"}, 404),
        ({"path": "//"}, 404),
        ({"path": "/predict//batch"}, 200),
    ],
)
def test_ambiguous_method_or_path_is_refused(scope: Any, status: int) -> None:
    """Routing would miss it: an endless stream would run in the threads of predictions."""
    assert Behind().ask(HOST, **scope) == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "ODD"])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ((b"origin", b"http://localhost:5000"), 200),
        ((b"origin", b"https://app.example"), 200),
        ((b"sec-fetch-site", b"same-origin"), 200),
        ((b"origin", b"http://evil.example"), 403),
        ((b"origin", b"http://localhost:3000"), 403),
        ((b"origin", b"null"), 403),
        ((b"sec-fetch-site", b"cross-site"), 403),
    ],
)
def test_cross_site_write_is_refused(method: str, header: tuple[bytes, bytes], status: int) -> None:
    """Also without a body: replay, pause and cancel need none, so browsers send no preflight."""
    behind = Behind()
    assert behind.ask(HOST, header, method=method) == status
    assert behind.asked == (status == 200)


def test_cross_site_read_is_left_to_the_browser() -> None:
    assert Behind().ask(HOST, (b"origin", b"http://evil.example")) == 200


@pytest.mark.parametrize(
    ("headers", "scope"),
    [
        ([(b"a", b"x" * MAX_FIELD_BYTES)], {}),
        ([(b"x" * MAX_FIELD_BYTES, b"a")], {}),
        ([(b"%d" % n, b"x" * 8000) for n in range(MAX_HEAD_BYTES // 8000 + 1)], {}),
        ([], {"path": "/" * (MAX_FIELD_BYTES + 1)}),
        ([], {"path": "/", "query_string": b"x" * MAX_FIELD_BYTES}),
        ([], {"method": "X" * MAX_FIELD_BYTES}),
    ],
    ids=["a value", "a name", "all together", "the path", "the query", "the method"],
)
def test_head_that_is_too_long_is_refused(headers: Any, scope: Any) -> None:
    behind = Behind()
    assert behind.ask(HOST, *headers, **scope) == 431
    assert behind.asked == 0


@pytest.mark.parametrize("query", ["model=é".encode(), "model=é".encode("latin-1"), b"\xff"])
def test_query_of_raw_bytes_is_refused(query: bytes) -> None:
    """What hands requests to Flask would fail, and the answer would be no problem of ours."""
    behind = Behind()
    assert behind.ask(HOST, query_string=query) == 400
    assert behind.asked == 0


def test_every_origin_must_be_trusted() -> None:
    behind = Behind()
    own, foreign = (b"origin", b"http://localhost:5000"), (b"origin", b"http://evil.example")
    assert behind.ask(HOST, own, method="POST") == 200
    for origins in [(own, foreign), (foreign, own)]:
        assert behind.ask(HOST, *origins, method="POST") == 403


@pytest.mark.parametrize(
    ("coding", "status"), [(b"chunked", 200), (b"Chunked", 200), (b"gzip, chunked", 400)]
)
def test_transfer_codings_other_than_chunked_are_refused(coding: bytes, status: int) -> None:
    assert Behind().ask(HOST, (b"transfer-encoding", coding), method="POST") == status


def test_transfer_coding_that_is_named_twice_is_refused() -> None:
    coding = (b"transfer-encoding", b"chunked")
    assert Behind().ask(HOST, coding, coding, method="POST") == 400
