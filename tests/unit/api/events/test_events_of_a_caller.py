"""One caller's stream of events, over a log that is given."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis

from api.asgi import server_sent_events
from api.asgi.server_sent_events import StreamSender
from api.events import stream as module
from api.events.stream import EventStream
from tasks.events.log import Event, EventPage
from tasks.events.news import News

MANY = 600
EVENT = (
    b'{"id":"id-2","status":"succeeded","model":"m","version":2,"urls":'
    b'{"result":"/predict/result/id-2","cancel":"/predict/result/id-2"}}'
)


class Log:
    """Events at positions from 1; those before ``first`` are no longer kept."""

    def __init__(self, many: int = 0) -> None:
        self.events = [Event(f"{n}-0", f"id-{n}", "succeeded", "m:2") for n in range(1, many + 1)]
        self.first = 0
        self.followed = 0
        self.fails = 0

    async def follow(self) -> str:
        self.followed += 1
        return f"{len(self.events)}-0"

    async def read(self, after: str) -> EventPage | None:
        if self.fails:
            self.fails -= 1
            raise redis.ConnectionError
        start = int(after.partition("-")[0])
        if start < self.first or start > len(self.events):
            return None
        events = self.events[start : start + 256]
        position = events[-1].position if events else after
        return EventPage(events, position, start + len(events) == len(self.events))


class Client:
    """Takes what is sent, and may end the stream once it has heard enough."""

    def __init__(self, news: News, enough: Callable[[bytes], bool]) -> None:
        self.text, self.status = b"", 0
        self._news, self._enough = news, enough

    async def send(self, event: Any) -> None:
        self.status = event.get("status", self.status)
        self.text += event.get("body", b"")
        if self._enough(self.text):
            self._news.is_over = True


@pytest.fixture(autouse=True)
def _without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    async def listen(_: News) -> None:
        pass

    monkeypatch.setattr(News, "listen", listen)
    for name in ("GATHER_SECONDS", "READ_AGAIN_SECONDS"):
        monkeypatch.setattr(module, name, 0.0)


def told(
    log: Any,
    after: str | None,
    enough: Callable[[bytes], bool],
    sees: Callable[[str], bool] = lambda _: True,
) -> bytes:
    """What a caller was sent; ``sees``: whether it sees a model."""

    async def run() -> bytes:
        news = News("")
        client = Client(news, enough)
        stream = EventStream(log, news, StreamSender(client.send), sees)
        await asyncio.wait_for(stream.run(after), 20)
        assert client.status == 200
        return client.text

    return asyncio.run(run())


def test_stream_begins_with_the_present_position() -> None:
    assert told(Log(3), None, bool) == b"id: 3-0\n\n"


def test_stream_continues_after_a_position() -> None:
    text = told(Log(3), "1-0", lambda text: b"id-3" in text)
    assert text.splitlines()[:3] == [
        b"id: 2-0",
        b"event: outcome",
        b"data: %b" % EVENT,
    ]
    assert text.count(b"event: outcome") == 2


def test_stream_sends_many_events_page_by_page() -> None:
    text = told(Log(MANY), "0-0", lambda text: b'"id-600"' in text)
    assert text.count(b"event: outcome") == MANY


def test_stream_leaves_out_models_that_the_caller_does_not_see() -> None:
    log = Log(3)
    log.events[1] = Event("2-0", "hidden", "succeeded", "other:1")
    text = told(log, "0-0", lambda text: b"id-3" in text, lambda model: model == "m")
    assert text.count(b"event: outcome") == 2
    assert b"hidden" not in text


def test_stream_tells_of_a_gap() -> None:
    log = Log(5)
    log.first = 3
    text = told(log, "1-0", lambda text: b"gap" in text)
    assert text.startswith(b"id: 5-0\nevent: gap\ndata: {")


def test_stream_goes_on_after_an_outage() -> None:
    log = Log(2)
    log.fails = 3
    assert told(log, "0-0", lambda text: b"id-2" in text).count(b"event: outcome") == 2


def test_stream_without_events_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in (module, server_sent_events):
        monkeypatch.setattr(each, "STREAM_HEARTBEAT_SECONDS", 0.01)
    log = Log()
    text = told(log, None, lambda text: text.count(b":\n\n") == 3)
    assert text == b"id: 0-0\n\n" + 3 * b":\n\n"
    assert log.followed >= 2, "or no events would be written any more"


def test_stream_to_a_client_that_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent_events, "SEND_TIMEOUT", 0.01)

    async def send(event: Any) -> None:
        if event["type"] == "http.response.body":
            await asyncio.Event().wait()

    log: Any = Log(3)
    with pytest.raises(TimeoutError):
        asyncio.run(EventStream(log, News(""), StreamSender(send)).run("1-0"))


def test_stream_is_refused_without_redis() -> None:
    class Away(Log):
        async def follow(self) -> str:
            raise redis.ConnectionError

    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    log: Any = Away()
    with pytest.raises(redis.ConnectionError):
        asyncio.run(EventStream(log, News(""), StreamSender(send)).run(None))
    assert sent == []
