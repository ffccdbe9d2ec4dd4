"""Answers of NDJSON: whole if nothing was sent before, else streamed beside the work."""

import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from api.bulk import answer
from api.bulk.answer import StreamedAnswer


class Reader:
    """A client that takes events while `reads` is set."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.events: list[Any] = []

    async def __call__(self, event: Any) -> None:
        await self.reads.wait()
        self.events.append(event)

    @property
    def body(self) -> bytes:
        return b"".join(event.get("body", b"") for event in self.events)


def test_answer_that_is_complete_has_a_length() -> None:
    async def run() -> list[Any]:
        reader = Reader()
        reader.reads.set()
        whole = StreamedAnswer(reader, HTTPStatus.ACCEPTED, {}, max_unsent=100)
        whole.add(b"a\n")
        whole.add(b"b\n")
        assert await whole.end() == 202
        return reader.events

    start, body = asyncio.run(run())
    assert dict(start["headers"])[b"content-length"] == b"4"
    assert body["body"] == b"a\nb\n"


def test_answer_is_sent_while_it_grows() -> None:
    async def run() -> Reader:
        reader = Reader()
        reader.reads.set()
        growing = StreamedAnswer(reader, HTTPStatus.ACCEPTED, {"x": "y"}, max_unsent=100)
        growing.add(b"a\n")
        await growing.drain()
        assert reader.body == b"a\n"
        growing.add(b"b\n")
        await growing.end()
        return reader

    reader = asyncio.run(run())
    assert reader.body == b"a\nb\n"
    assert (b"x", b"y") in reader.events[0]["headers"]
    assert [event["more_body"] for event in reader.events[1:]] == [True, False]


def test_answer_waits_for_a_reader_only_when_full() -> None:
    """Many clients send all lines before they read the first answer."""

    async def run() -> None:
        reader = Reader()
        unread = StreamedAnswer(reader, HTTPStatus.ACCEPTED, {}, max_unsent=5)
        for _ in range(5):
            unread.add(b"x")
            await asyncio.wait_for(unread.stream(), 10)
        unread.add(b"x")
        waiting = asyncio.ensure_future(unread.stream())
        await asyncio.sleep(0)
        assert unread.is_full
        assert not waiting.done()
        reader.reads.set()
        await asyncio.wait_for(waiting, 10)
        await unread.end()
        assert reader.body == b"x" * 6

    asyncio.run(run())


def test_answer_that_is_not_read_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "SEND_TIMEOUT", 0.05)

    async def run() -> None:
        reader = Reader()
        unread = StreamedAnswer(reader, HTTPStatus.ACCEPTED, {}, max_unsent=1)
        unread.add(b"too long")
        await asyncio.wait_for(unread.stream(), 10)
        assert unread.is_abandoned
        await asyncio.wait_for(unread.end(), 10)

    asyncio.run(run())


def test_answer_that_is_closed_leaves_no_task() -> None:
    async def run() -> None:
        unread = StreamedAnswer(Reader(), HTTPStatus.ACCEPTED, {}, max_unsent=5)
        unread.add(b"x")
        await unread.stream()
        unread.close()
        (sender,) = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait_for(asyncio.wait({sender}), 10)
        assert sender.cancelled()

    asyncio.run(run())
