"""An outage is logged once, and waited out with growing, random pauses."""

import logging
from itertools import islice

import pytest

from tasks.ledger.server.outage import FIRST_RETRY_PAUSE, MAX_RETRY_PAUSE, Outage, pauses


def test_pauses_grow_to_a_bound_and_differ_by_chance() -> None:
    first = list(islice(pauses(), 12))
    for step, pause in enumerate(first):
        longest = min(FIRST_RETRY_PAUSE * 2**step, MAX_RETRY_PAUSE)
        assert longest / 2 <= pause <= longest
    assert first != list(islice(pauses(), 12))


def test_outage_is_logged_at_its_beginning_and_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = Outage("nothing can be written")
    with caplog.at_level(logging.INFO):
        for _ in range(50):
            outage.goes_on(OSError("it is away"))
        outage.is_over()
    assert [record.getMessage() for record in caplog.records] == [
        "nothing can be written; retrying: it is away",
        "Redis is back after 50 tries",
    ]


def test_second_outage_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("nothing can be written")
    for _ in range(2):
        assert outage.goes_on(OSError("it is away")) <= FIRST_RETRY_PAUSE
        outage.is_over()
    assert [record.getMessage() for record in caplog.records] == 2 * [
        "nothing can be written; retrying: it is away",
        "Redis is back after 1 tries",
    ]


def test_end_without_an_outage_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    Outage("nothing can be written").is_over()
    assert caplog.records == []
