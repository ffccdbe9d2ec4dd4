"""Redis's address as Celery spells it."""

import pytest

from tasks.broker import backend_url, celery_url


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("redis://:secret@host:6379/3", "redis://:secret@host:6379/3"),
        ("rediss://host/0?ssl_cert_reqs=required", "rediss://host/0?ssl_cert_reqs=required"),
        ("unix:///home/redis.sock?db=2", "redis+socket:///home/redis.sock?virtual_host=2"),
        ("unix:///home/redis.sock", "redis+socket:///home/redis.sock?virtual_host=0"),
        ("unix://:secret@/redis.sock", "redis+socket://:secret@/redis.sock?virtual_host=0"),
    ],
)
def test_broker_url_of_a_socket_has_another_scheme(given: str, expected: str) -> None:
    assert celery_url(given) == expected


def test_backend_url_names_our_own_backend() -> None:
    assert backend_url("unix:///a", "m:C") == "m:C+socket:///a?virtual_host=0"
    assert backend_url("redis://h/0", "m:C") == "m:C+redis://h/0"
