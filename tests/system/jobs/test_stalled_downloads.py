"""Stalled downloads hold slots of their own and do not delay other requests."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.support.stack import TEST_TIMEOUT, Json, LiveStack, until
from tests.system.jobs.job_requests import ended, problem, submit

SLOTS = 2
"""A quarter of the threads of this stack."""
ROWS = 60_000
TEXT = "x" * 400
"""Of each row: output and errors are more than what lies between thread and client holds."""


@pytest.fixture(scope="module")
def large(live: LiveStack, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """A job whose output and errors are large."""
    source = tmp_path_factory.mktemp("large") / "in.csv"
    rows = [f"{n if n % 2 else 'bad'},0,{n}{TEXT}\n" for n in range(ROWS)]
    source.write_text("x0,x1,id\n" + "".join(rows))
    return ended(live, submit(live, source, id_column="id"))


@contextmanager
def stalled(live: LiveStack, path: str, *headers: str) -> Iterator[bytes]:
    """A client that reads the head of an answer and stops; yields the head."""
    address = urlsplit(live.url)
    with closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(TEST_TIMEOUT)
        client.connect((address.hostname, address.port))
        client.sendall(
            "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(100) or b"\r\n\r\n"
        yield head


@pytest.mark.parametrize("kind", ["output", "errors"])
@pytest.mark.parametrize("headers", [(), ("Range: bytes=10-",)], ids=["whole", "range"])
def test_stalled_downloads_hold_slots(
    live: LiveStack, large: Json, kind: str, headers: tuple[str, ...]
) -> None:
    urls = large["urls"]
    with ExitStack() as stack:
        until(lambda: live.http.head(urls[kind]).is_success, "a free slot")
        for _ in range(SLOTS):
            head = stack.enter_context(stalled(live, urls[kind], *headers))
            assert head.startswith(b"HTTP/1.1 20"), head
        for _ in range(4 * SLOTS):  # more than the API has threads
            with stalled(live, urls[kind], *headers) as head:
                assert head.startswith(b"HTTP/1.1 503"), head
        for name in ("output", "errors"):
            problem(live.http.get(urls[name]), 503, "busy")
        assert live.http.get(urls["events"]).is_success, "events have slots of their own"
        assert live.http.get(urls["self"]).json()["status"] == "completed_with_errors"
    until(lambda: live.http.get(urls[kind]).is_success, "a free slot")


def test_downloads_that_end_free_their_slots(live: LiveStack, large: Json) -> None:
    whole = until(lambda: fetched(live, large), "a free slot")
    for _ in range(2 * SLOTS):
        assert until(lambda: fetched(live, large), "a free slot", within=1.0) == whole


def fetched(live: LiveStack, job: Json) -> bytes | None:
    """The output of a job; None while no slot is free."""
    answer = live.http.get(job["urls"]["output"])
    return answer.content if answer.is_success else None
