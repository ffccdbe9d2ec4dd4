"""Hostile request heads are refused and do not delay other requests."""

import resource
import socket
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.support.stack import LiveStack

MANY = 1100
"""Connections; a server that has room for 1,024 would not answer the next."""
OWN = "Host: localhost"
LONG = 65_000
FIELDS = ("Prefer", "Accept", "Range", "If-None-Match", "Authorization", "Cookie", "Content-Type")
ROUTES = ("POST /models/iris/versions/1/pause", "POST /dead-letters/replay")


def told(stack: LiveStack, *lines: str, body: bytes = b"") -> bytes:
    """Send this head and return all bytes until the connection ends."""
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        connection.sendall(head.encode("latin-1") + body)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("separator", [" ", ",", ";", "=", '"', "a/b,"])
@pytest.mark.parametrize("field", FIELDS)
def test_fields_of_separators_are_refused_at_once(
    stack: LiveStack, field: str, separator: str
) -> None:
    value = "wait=" + separator * (LONG // len(separator)) + 'x"y"'
    answer = told(stack, "POST /predict HTTP/1.1", OWN, f"{field}: {value}", "Content-Length: 0")
    assert b" 431 " in answer.splitlines()[0], answer[:300]
    assert stack.http.get("/health", timeout=2).status_code == 200


@pytest.mark.parametrize("route", ["GET /models", "GET /", "GET /health", *ROUTES])
def test_foreign_host_is_misdirected(stack: LiveStack, route: str) -> None:
    answer = told(stack, f"{route} HTTP/1.1", "Host: evil.example", "Content-Length: 0")
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert b'"code":"misdirected"' in answer


@pytest.mark.parametrize("route", ROUTES)
def test_cross_site_post_without_a_body_is_refused(stack: LiveStack, route: str) -> None:
    """Such a POST needs no preflight, and without TLS a browser sends no `Sec-Fetch-Site`."""
    foreign = told(stack, f"{route} HTTP/1.1", OWN, "Origin: http://evil", "Content-Length: 0")
    assert foreign.startswith(b"HTTP/1.1 403 ")
    assert b'"code":"cross_site"' in foreign
    assert stack.http.get("/stats").json()["paused"] == []


@pytest.mark.parametrize("path", ["/health", "/predict/result/x", "/nowhere", "/", "/docs"])
def test_browsers_are_told_to_sniff_and_frame_nothing(stack: LiveStack, path: str) -> None:
    headers = stack.http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_http_2_is_not_spoken(stack: LiveStack) -> None:
    """Its header compression and streams are more to bound, and browsers use it with TLS alone."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    address = urlsplit(stack.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(preface)
        assert connection.recv(100) == b""


def test_idle_connections_do_not_block_new_ones(stack: LiveStack) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * MANY)), hard))
    address = urlsplit(stack.url)
    with ExitStack() as idle:
        for _ in range(MANY):
            idle.enter_context(socket.create_connection((address.hostname, address.port)))
        with socket.create_connection((address.hostname, address.port), timeout=5) as another:
            another.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert another.recv(100).startswith(b"HTTP/1.1 200")
