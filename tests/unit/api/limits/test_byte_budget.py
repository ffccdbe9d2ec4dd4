"""The bytes of bodies parsed at a time are bounded."""

import threading

import pytest

from api.limits import byte_budget
from api.limits.byte_budget import MAX_BYTES_IN_FLIGHT, UNCOUNTED_BYTES, ByteBudget
from telemetry.errors import Busy

HALF = MAX_BYTES_IN_FLIGHT // 2


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_budget, "WAIT_TIMEOUT", 0.01)


def test_byte_budget_refuses_beyond_its_bound() -> None:
    shared = ByteBudget(1)
    with shared.holding(HALF), shared.holding(HALF):
        with pytest.raises(Busy), shared.holding(UNCOUNTED_BYTES + 1):
            pass
        with shared.holding(UNCOUNTED_BYTES):
            pass
    with shared.holding(MAX_BYTES_IN_FLIGHT):
        pass


def test_byte_budget_waits_until_bytes_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(byte_budget, "WAIT_TIMEOUT", 30)
    shared, done = ByteBudget(1), threading.Event()

    def wait() -> None:
        with shared.holding(MAX_BYTES_IN_FLIGHT):
            done.set()

    waiting = threading.Thread(target=wait)
    with shared.holding(HALF):
        waiting.start()
        assert not done.is_set()
    waiting.join(30)
    assert done.is_set()


def test_byte_budget_is_returned_by_a_failure() -> None:
    shared = ByteBudget(3 * MAX_BYTES_IN_FLIGHT)
    for _ in range(2):
        with pytest.raises(KeyError), shared.holding(3 * MAX_BYTES_IN_FLIGHT + 1):
            raise KeyError
