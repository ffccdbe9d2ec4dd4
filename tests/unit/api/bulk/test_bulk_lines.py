"""Bodies of bulk requests are cut into windows of lines, within bounds."""

import asyncio
from typing import Any

import pytest

from api.bulk import lines
from api.bulk.gateway import WINDOW_LINES
from api.bulk.lines import BodyLines, ListedLines
from telemetry.errors import Malformed, PredictqError, TooLarge

LEAVING = {"type": "http.disconnect"}


class Sender:
    """Sends a body in pieces; `last` follows the final one."""

    def __init__(self, *pieces: bytes, last: Any = None, announced: bool = True) -> None:
        self.events: list[Any] = [
            {"type": "http.request", "body": piece, "more_body": bool(last) or index < len(pieces)}
            for index, piece in enumerate(pieces, 1)
        ]
        self.events += [last] if last else []
        self.lines = BodyLines(self._receive, 1000, is_announced=announced)
        self.windows: list[list[tuple[int, bytes | None]]] = []

    async def _receive(self) -> Any:
        return self.events.pop(0) if self.events else await asyncio.Event().wait()

    def read(self) -> PredictqError | None:
        """Read all windows; returns the error that ended it, if one did."""

        async def take() -> None:
            async for window in self.lines.windows():
                self.windows += [[tuple(line) for line in window]]

        try:
            asyncio.run(asyncio.wait_for(take(), 10))
        except PredictqError as error:
            return error
        return None


def test_lines_are_cut_wherever_pieces_end() -> None:
    sender = Sender(b'{"a"', b":1}\n\n", b'{"b":2}\r\n{"c"', b":3}")
    assert sender.read() is None
    assert sender.windows == [[(1, b'{"a":1}'), (3, b'{"b":2}\r'), (4, b'{"c":3}')]]
    assert sender.lines.are_over


def test_lines_of_an_announced_body_fill_windows() -> None:
    sender = Sender(*[b"1\n"] * (WINDOW_LINES + 1))
    assert sender.read() is None
    assert list(map(len, sender.windows)) == [WINDOW_LINES, 1]


def test_lines_of_a_live_body_are_handed_on_as_they_come() -> None:
    sender = Sender(b"1\n2\n", b"3", b"\n", announced=False)
    assert sender.read() is None
    assert sender.windows == [[(1, b"1"), (2, b"2")], [(3, b"3")]]


def test_window_of_long_lines_is_closed_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_WINDOW_BYTES", 10)
    sender = Sender(b"123456\n" * 3)
    assert sender.read() is None
    assert list(map(len, sender.windows)) == [1, 1, 1]


def test_line_that_is_too_long_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 5)
    sender = Sender(b"123", b"456", b"789\n1\n12345", b"6")
    assert sender.read() is None
    assert sender.windows == [[(1, None), (2, b"1"), (3, None)]]


def test_lines_beyond_the_bound_end_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 2)
    sender = Sender(b"1\n2\n3\n", b"4\n")
    assert isinstance(sender.read(), TooLarge)
    assert sender.windows == [[(1, b"1"), (2, b"2")]]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "live"])
def test_rest_of_an_announced_body_is_discarded(
    monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 1)
    sender = Sender(b"1\n2\n", b"3\n", b"4\n", announced=announced)
    assert isinstance(sender.read(), TooLarge)
    asyncio.run(sender.lines.discard())
    assert len(sender.events) == (0 if announced else 2)


def test_discarding_ends_with_a_silent_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", 1)
    monkeypatch.setattr(lines, "MAX_DISCARD_SECONDS", 0.05)
    sender = Sender(b"1\n2\n", b"3\n")
    assert isinstance(sender.read(), TooLarge)
    sender.events[0]["more_body"] = True
    asyncio.run(asyncio.wait_for(sender.lines.discard(), 10))


def test_body_beyond_the_bound_ends_the_reading() -> None:
    sender = Sender(b"1\n2", b"x" * 1000, announced=False)
    assert isinstance(sender.read(), TooLarge)
    assert sender.windows == [[(1, b"1")]]


@pytest.mark.parametrize("last", [LEAVING, None], ids=["disconnected", "silent"])
def test_body_that_is_cut_hands_on_no_half_line(monkeypatch: pytest.MonkeyPatch, last: Any) -> None:
    monkeypatch.setattr("api.asgi.body_deadline.MAX_SILENCE", 0.05)
    sender = Sender(b"1\n2\n3", last=last, announced=False)
    if last is None:
        sender.events[0]["more_body"] = True
    assert isinstance(sender.read(), Malformed)
    assert sender.windows == [[(1, b"1"), (2, b"2")]]


def test_listed_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINES", WINDOW_LINES + 1)
    listed, sizes = ListedLines([b"{}"] * (WINDOW_LINES + 2)), []

    async def take() -> None:
        async for window in listed.windows():
            sizes[len(sizes) :] = [(window[0].number, len(window))]

    with pytest.raises(TooLarge):
        asyncio.run(take())
    assert sizes == [(1, WINDOW_LINES), (WINDOW_LINES + 1, 1)]
    assert not listed.are_over


def test_listed_lines_that_are_long_close_a_window_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of a window share one call of a script, in which Redis answers no other command."""
    monkeypatch.setattr(lines, "MAX_WINDOW_BYTES", 10)
    listed = ListedLines([b"123456", b"1234", b"1"])

    async def numbers() -> list[list[int]]:
        return [[line.number for line in window] async for window in listed.windows()]

    assert asyncio.run(numbers()) == [[1, 2], [3]]
    assert listed.are_over
