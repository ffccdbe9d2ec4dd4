"""Pages of listed origins may call the API and read its answers; others may not."""

from typing import Any

import pytest

from api.asgi.cross_origin import CrossOrigin
from tests.unit.api.asgi.test_request_filter import HOST, Behind

LISTED = "https://app.example, http://localhost:3000"
PAGE = (b"origin", b"http://localhost:3000")
FOREIGN = (b"origin", b"http://localhost:3001")
ASKS = (
    (b"access-control-request-method", b"POST"),
    (
        b"access-control-request-headers",
        b"authorization,content-type",
    ),
)


def told(behind: Behind) -> dict[str, str]:
    """What the answer tells of origins, and of what a page may send."""
    fields = [(name.decode(), value.decode()) for name, value in behind.told[0]["headers"]]
    found = {n: v for n, v in fields if n.startswith("access-control-") or n == "vary"}
    assert "access-control-allow-credentials" not in found
    return found


def test_answers_tell_nothing_of_origins_unless_some_are_listed() -> None:
    behind = Behind()
    assert behind.ask(HOST, PAGE) == 200
    assert told(behind) == {}
    assert behind.ask(HOST, PAGE, *ASKS, method="OPTIONS") == 200
    assert (behind.asked, told(behind)) == (2, {})


def test_preflight_of_a_listed_origin_is_answered_before_anything_is_asked_of_its_caller() -> None:
    behind = Behind(LISTED)
    assert behind.ask(HOST, PAGE, *ASKS, method="OPTIONS", path="/predict") == 204
    assert behind.asked == 0
    found = told(behind)
    assert found["access-control-allow-origin"] == "http://localhost:3000"
    assert found["vary"] == "Origin"
    assert "POST" in found["access-control-allow-methods"].split(", ")
    sent = {"Authorization", "Content-Type", "Idempotency-Key", "Prefer"}
    assert sent <= set(found["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_page_of_a_listed_origin_writes_and_reads(method: str) -> None:
    behind = Behind(LISTED)
    assert behind.ask(HOST, PAGE, (b"sec-fetch-site", b"cross-site"), method=method) == 200
    found = told(behind)
    assert found["access-control-allow-origin"] == "http://localhost:3000"
    readable = set(found["access-control-expose-headers"].split(", "))
    assert {"Location", "Retry-After", "RateLimit", "RateLimit-Policy"} <= readable


def test_page_of_a_listed_origin_reads_why_its_request_is_refused() -> None:
    behind = Behind(LISTED)
    assert behind.ask(HOST, PAGE, (b"transfer-encoding", b"gzip")) == 400
    assert told(behind)["access-control-allow-origin"] == "http://localhost:3000"


@pytest.mark.parametrize(
    "headers",
    [
        [FOREIGN],
        [PAGE, FOREIGN],
        [PAGE, PAGE],
        [(b"origin", b"null")],
        [(b"origin", b"https://localhost:3000")],
        [(b"origin", b"https://app.example.evil.example")],
        [(b"origin", b"*")],
    ],
)
def test_other_origins_stay_foreign(headers: Any) -> None:
    behind = Behind(LISTED)
    assert behind.ask(HOST, *headers, method="POST") == 403
    assert told(behind) == {"vary": "Origin"}
    assert behind.ask(HOST, *headers, *ASKS, method="OPTIONS") == 200  # Flask tells the methods
    assert told(behind) == {"vary": "Origin"}


def test_listed_origin_does_not_make_a_foreign_host_ours() -> None:
    behind = Behind(LISTED)
    assert behind.ask((b"host", b"evil.example"), PAGE, *ASKS, method="OPTIONS") == 421
    assert behind.asked == 0


def test_console_is_for_no_other_origin() -> None:
    """Its cookie would be sent from a page of the same site."""
    behind = Behind(LISTED)
    for path in ("/console", "/console/dead-letters/delete"):
        assert behind.ask(HOST, PAGE, method="POST", path=path) == 403
        assert behind.ask(HOST, PAGE, path=path) == 200
        assert told(behind) == {"vary": "Origin"}


@pytest.mark.parametrize(
    "listed", ["*", "app.example", "https://app.example/", "ftp://a", "https://a,null", "https://*"]
)
def test_what_is_no_origin_stops_the_start(listed: str) -> None:
    with pytest.raises(ValueError, match="PREDICTQ_CORS_ORIGINS"):
        CrossOrigin(listed)
