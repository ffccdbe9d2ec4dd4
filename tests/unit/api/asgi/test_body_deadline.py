"""The time allowance for receiving a body."""

import asyncio
from typing import Any

import pytest

from api.asgi.body_deadline import MAX_SILENCE, MIN_BYTES_PER_SECOND, BodyDeadline


class Sender:
    """Sends pieces, and lets time pass between them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("api.asgi.body_deadline.monotonic", lambda: self.now)
        self._deadline = BodyDeadline()

    def send(self, size: int, after: float) -> None:
        """Raises `TimeoutError` if the allowance is spent."""

        async def receive() -> Any:
            self.now += after
            return {"type": "http.request", "body": bytes(size), "more_body": True}

        asyncio.run(self._deadline.receive(receive))


@pytest.fixture
def sender(monkeypatch: pytest.MonkeyPatch) -> Sender:
    return Sender(monkeypatch)


def test_steady_sender_has_no_deadline(sender: Sender) -> None:
    for _ in range(50):
        sender.send(2 * MIN_BYTES_PER_SECOND, after=2)


def test_dripping_body_is_cut_off(sender: Sender) -> None:
    for _ in range(3):
        sender.send(1, after=MAX_SILENCE / 2.5)
    with pytest.raises(TimeoutError):
        sender.send(1, after=MAX_SILENCE / 2.5)


def test_speed_is_credit_for_no_more_than_one_pause(sender: Sender) -> None:
    sender.send(100 * MIN_BYTES_PER_SECOND, after=1)
    sender.send(1, after=MAX_SILENCE + 1)
    with pytest.raises(TimeoutError):
        sender.send(1, after=1)


def test_time_in_which_nothing_is_asked_of_it_does_not_count(sender: Sender) -> None:
    for _ in range(10):
        sender.now += MAX_SILENCE
        sender.send(1, after=0.1)
