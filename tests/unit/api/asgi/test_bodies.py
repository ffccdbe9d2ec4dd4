"""Bodies are received whole and within bounds; otherwise the client gets an error."""

import asyncio
from typing import Any

import pytest

from api.asgi.bodies import BODY_RELEASED, MAX_HELD_BODIES, SMALL_BODY_BYTES, BodyReceiver
from api.operations.request_metrics import RequestMetrics

BOUND = 2 * SMALL_BODY_BYTES
LARGE = b"x" * BOUND


BATCH = "/predict/batch"
FORM = (b"content-type", b"multipart/form-data; boundary=x")
JSON = (b"content-type", b"application/json")


class Front:
    """A `BodyReceiver` before an application that records the bodies it gets."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.answers: list[Any] = []
        self.requests = RequestMetrics()
        self.app = BodyReceiver(self._note, self.requests, BOUND)

    async def _note(self, _: Any, receive: Any, __: Any) -> None:
        self.bodies.append((await receive())["body"])

    async def post(
        self,
        *pieces: bytes,
        announced: int | None = None,
        then: Any = None,
        path: str = "/",
        types: Any = (),
    ) -> None:
        """Send pieces; the body ends with the last one, or the event ``then`` follows."""
        events: list[Any] = [
            {"type": "http.request", "body": piece, "more_body": bool(then) or number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]

        async def receive() -> Any:
            return events.pop(0) if events else await then()

        async def send(event: Any) -> None:
            self.answers.append(event.get("status"))

        length = [] if announced is None else [(b"content-length", str(announced).encode())]
        scope: Any = {"type": "http", "method": "POST", "path": path, "headers": [*length, *types]}
        await self.app(scope, receive, send)


async def _leaving() -> Any:
    return {"type": "http.disconnect"}


async def _silence() -> Any:
    await asyncio.Event().wait()


def test_pieces_arrive_as_one() -> None:
    front = Front()
    asyncio.run(front.post(b"ab", b"", b"cd", announced=4))
    assert front.bodies == [b"abcd"]


def test_body_that_is_too_long_is_read_up_to_the_bound() -> None:
    front = Front()
    asyncio.run(front.post(LARGE, b"more", b"never read"))
    asyncio.run(front.post(b"unread", announced=BOUND + 1))
    assert front.bodies == [LARGE + b"more", b"unread"]


@pytest.mark.parametrize("then", [_leaving, _silence])
def test_body_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch, then: Any) -> None:
    monkeypatch.setattr("api.asgi.body_deadline.MAX_SILENCE", 0.05)
    front = Front()
    asyncio.run(asyncio.wait_for(front.post(b"half", announced=8, then=then), 10))
    assert front.bodies == []
    assert front.answers[0] == 400


def test_trickling_body_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.asgi.body_deadline.MAX_SILENCE", 0.1)
    front = Front()

    async def trickle() -> Any:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b"x", "more_body": True}

    asyncio.run(asyncio.wait_for(front.post(b"begun", then=trickle), 10))
    assert (front.bodies, front.answers[0]) == ([], 400)


def test_held_large_bodies_are_bounded_and_small_ones_pass() -> None:
    front = Front()

    async def crowd() -> None:
        over = asyncio.Event()

        async def leave() -> Any:
            await over.wait()
            return await _leaving()

        many = MAX_HELD_BODIES * BOUND // (BOUND - SMALL_BODY_BYTES)
        held = [asyncio.ensure_future(front.post(LARGE, then=leave)) for _ in range(many)]
        await asyncio.sleep(0)
        await front.post(LARGE)
        assert front.answers[0] == 503
        await front.post(b"small")
        over.set()
        await asyncio.gather(*held)
        await front.post(LARGE)

    asyncio.run(crowd())
    assert front.bodies == [b"small", LARGE]


def test_body_that_was_released_does_not_count_while_its_request_waits() -> None:
    front, many = Front(), 2 * MAX_HELD_BODIES

    async def crowd() -> None:
        over = asyncio.Event()

        async def wait(scope: Any, receive: Any, _: Any) -> None:
            front.bodies.append((await receive())["body"])
            scope[BODY_RELEASED]()
            await over.wait()

        front.app = BodyReceiver(wait, front.requests, BOUND)
        waiting = [asyncio.ensure_future(front.post(LARGE)) for _ in range(many)]
        while len(front.bodies) + len(front.answers) < many:
            await asyncio.sleep(0)
        over.set()
        await asyncio.gather(*waiting)

    asyncio.run(crowd())
    assert (len(front.bodies), front.answers) == (many, [])


@pytest.mark.parametrize("path", [BATCH, f"{BATCH}/validate"])
def test_upload_is_streamed(path: str) -> None:
    front = Front()
    asyncio.run(front.post(LARGE, LARGE, LARGE, path=path, types=[FORM]))
    assert front.bodies == [LARGE]


@pytest.mark.parametrize(
    ("path", "types"),
    [(BATCH, [JSON]), (BATCH, []), (BATCH, [FORM, JSON]), (f"{BATCH}/x/resume", [FORM])],
)
def test_body_of_a_job_request_that_is_no_upload_comes_whole(path: str, types: Any) -> None:
    """Otherwise a client that sends it slowly would hold a thread."""
    front = Front()
    asyncio.run(front.post(b"a", b"b", path=path, types=types))
    assert front.bodies == [b"ab"]
