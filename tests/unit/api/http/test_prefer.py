"""The Prefer header."""

import pytest

from api.http.prefer import MAX_WAIT_SECONDS, parse_prefer


@pytest.mark.parametrize(
    ("header", "seconds", "applied"),
    [
        ("", 7, ""),
        ("wait=10", 10, "wait=10"),
        ("wait=0", 0, "wait=0"),
        ("respond-async", 0, "respond-async"),
        ("respond-async, wait=5", 5, "wait=5"),
        ("wait=99999", MAX_WAIT_SECONDS, f"wait={MAX_WAIT_SECONDS}"),
        ("wait=soon", 7, ""),
        ("handling=lenient", 7, ""),
        ("WAIT=2", 2, "wait=2"),
        ('wait="5"', 5, "wait=5"),
        ("wait=1e9", 7, ""),
        ("wait=-1", 7, ""),
        ("foo; wait=1", 7, ""),
        ("wait=3; foo=1, handling=strict", 3, "wait=3"),
    ],
)
def test_preference_is_applied_and_named(header, seconds, applied) -> None:
    preference = parse_prefer(header)

    assert preference.seconds(otherwise=7) == seconds
    assert preference.applied(waited=True) == applied


@pytest.mark.parametrize(
    ("header", "applied"),
    [
        ("", ""),
        ("wait=10", ""),
        ("wait=0", ""),
        ("respond-async", "respond-async"),
        ("respond-async, wait=5", "respond-async"),
    ],
)
def test_preference_that_was_not_applied_is_not_named(header, applied) -> None:
    assert parse_prefer(header).applied(waited=False) == applied
