"""Events go to all pages from one rendering; slow or too many listeners are cut off."""

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from api.asgi import server_sent_events
from api.callers.current import CALLER
from api.console.live import events
from api.console.live.events import LiveEvents
from tasks.callers.caller import LOCAL_CALLER
from tests.unit.api.console.pictures import picture

SCOPE: Any = {"type": "http", "path": "/console/events", "method": "GET", CALLER: LOCAL_CALLER}


class Page:
    """A page that listens, and takes everything or nothing."""

    def __init__(self, *, reads: bool = True) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self._reads = reads

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Any) -> None:
        self.sent.append(event)
        if not self._reads and event["type"] == "http.response.body":
            await asyncio.Event().wait()

    @property
    def updates(self) -> list[Any]:
        bodies = [event["body"] for event in self.sent if event.get("body", b"")[:6] == b"data: "]
        return [msgspec.json.decode(body[6:]) for body in bodies]


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def behind(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "behind"})


class Requests:
    """What is recorded of requests."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def ended(self, route: str, method: str, status: int, started: float) -> None:
        self.seen.append((route, method, status))


def live(rendered: list[int] | None = None, requests: Any = None) -> LiveEvents:
    def render(now: Any) -> dict[str, str]:
        if rendered is not None:
            rendered.append(1)
        return {"state": f"{now.away_since}", "figures": "same"}

    sampler: Any = SimpleNamespace(listen=lambda _: None, unlisten=lambda _: None)
    return LiveEvents(sampler, render, requests or Requests(), behind)


def test_console_events_render_once_and_send_what_changed() -> None:
    async def run() -> None:
        rendered: list[int] = []
        app, pages = live(rendered), [Page() for _ in range(5)]
        tasks = [asyncio.create_task(app(SCOPE, p.receive, p.send)) for p in pages]
        await until(lambda: all(p.sent for p in pages))
        for away in (None, 7.0):
            await asyncio.to_thread(app._heard, picture(away_since=away))
            await until(lambda away=away: all(len(p.updates) == (2 if away else 1) for p in pages))
        assert len(rendered) == 2
        for page in pages:
            first, second = page.updates
            assert first["fragments"] == {"state": "None", "figures": "same"}
            assert second["fragments"] == {"state": "7.0"}
            page.left.set()
        await asyncio.gather(*tasks)
        assert not app._listeners

    asyncio.run(run())


def test_console_events_are_bounded_and_end_with_the_process(monkeypatch: Any) -> None:
    monkeypatch.setattr(events, "MAX_LISTENERS", 1)

    async def run() -> None:
        requests = Requests()
        app, first, second = live(requests=requests), Page(), Page()
        task = asyncio.create_task(app(SCOPE, first.receive, first.send))
        await until(lambda: first.sent)
        await app(SCOPE, second.receive, second.send)
        assert second.sent[0]["status"] == 503
        await asyncio.to_thread(app.end_waits)
        await asyncio.wait_for(task, 5)
        assert first.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        assert requests.seen == [("/console/events", "GET", status) for status in (503, 200)]

    asyncio.run(run())


def test_console_events_cut_off_a_page_that_stops_reading(monkeypatch: Any) -> None:
    monkeypatch.setattr(server_sent_events, "SEND_TIMEOUT", 0.05)

    async def run() -> None:
        app, page = live(), Page(reads=False)
        task = asyncio.create_task(app(SCOPE, page.receive, page.send))
        await until(lambda: page.sent)
        await asyncio.to_thread(app._heard, picture())
        await asyncio.wait_for(task, 5)
        assert not app._listeners

    asyncio.run(run())


@pytest.mark.parametrize(("path", "method"), [("/console", "GET"), ("/console/events", "POST")])
def test_console_events_pass_other_requests_on(path: str, method: str) -> None:
    page = Page.__new__(Page)
    page.sent, page._reads = [], True
    scope: Any = {"type": "http", "path": path, "method": method}
    asyncio.run(live()(scope, page.receive, page.send))
    assert page.sent == [{"type": "behind"}]
