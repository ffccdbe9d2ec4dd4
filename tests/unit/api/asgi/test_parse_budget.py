"""What is parsed at a time is bounded by its bytes."""

import threading

import pytest

from api.asgi import parse_budget
from api.asgi.parse_budget import MAX_BYTES_IN_FLIGHT, UNCOUNTED_BYTES, ParseBudget
from telemetry.errors import Busy

HALF = MAX_BYTES_IN_FLIGHT // 2


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_budget, "WAIT_TIMEOUT", 0.01)


def test_beyond_the_budget_one_is_told_to_try_again() -> None:
    shared = ParseBudget(1)
    with shared.holding(HALF), shared.holding(HALF):
        with pytest.raises(Busy), shared.holding(UNCOUNTED_BYTES + 1):
            pass
        with shared.holding(UNCOUNTED_BYTES):
            pass
    with shared.holding(MAX_BYTES_IN_FLIGHT):
        pass


def test_one_waits_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse_budget, "WAIT_TIMEOUT", 30)
    shared, done = ParseBudget(1), threading.Event()

    def wait() -> None:
        with shared.holding(MAX_BYTES_IN_FLIGHT):
            done.set()

    waiting = threading.Thread(target=wait)
    with shared.holding(HALF):
        waiting.start()
        assert not done.is_set()
    waiting.join(30)
    assert done.is_set()


def test_what_failed_gives_its_bytes_back_and_the_greatest_body_has_room() -> None:
    shared = ParseBudget(3 * MAX_BYTES_IN_FLIGHT)
    for _ in range(2):
        with pytest.raises(KeyError), shared.holding(3 * MAX_BYTES_IN_FLIGHT + 1):
            raise KeyError
