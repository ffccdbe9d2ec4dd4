"""What is parsed at a time is bounded by its bytes."""

import threading

import pytest

from api import budget
from api.budget import AT_ONCE, SMALL, Budget
from telemetry.errors import Busy

HALF = AT_ONCE // 2


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PATIENCE", 0.01)


def test_beyond_the_budget_one_is_told_to_try_again() -> None:
    shared = Budget(1)
    with shared.holding(HALF), shared.holding(HALF):
        with pytest.raises(Busy), shared.holding(SMALL + 1):
            pass
        with shared.holding(SMALL):
            pass
    with shared.holding(AT_ONCE):
        pass


def test_one_waits_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "PATIENCE", 30)
    shared, done = Budget(1), threading.Event()

    def wait() -> None:
        with shared.holding(AT_ONCE):
            done.set()

    waiting = threading.Thread(target=wait)
    with shared.holding(HALF):
        waiting.start()
        assert not done.is_set()
    waiting.join(30)
    assert done.is_set()


def test_what_failed_gives_its_bytes_back_and_the_greatest_body_has_room() -> None:
    shared = Budget(3 * AT_ONCE)
    for _ in range(2):
        with pytest.raises(KeyError), shared.holding(3 * AT_ONCE):
            raise KeyError
