"""An answer that goes on for long ends with the key that it was asked for with."""

import asyncio
from typing import Any

import pytest
import redis

from api.asgi import admission as module
from api.asgi.admission import Admission
from api.operations.request_metrics import RequestMetrics
from tasks.callers.caller import LOCAL_CALLER, UNKNOWN_CALLER, VIEWER, Caller
from telemetry.errors import IssuerUnavailable, KeyRevoked

OWNER = Caller(frozenset(("operate",)), key="one", name="one")


class Keys:
    """One key, which is revoked, or cannot be read, after some looks."""

    def __init__(self, *answers: Caller | Exception) -> None:
        self._answers = [*answers]

    async def caller(self, *_: object) -> Caller:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def streamed(
    keys: Keys, pieces: int = 5, path: str = "/events", field: bytes = b"authorization"
) -> tuple[int, str]:
    """How many pieces of a stream were sent, and why it ended; ``field``: what has the key."""
    sent: list[Any] = []

    async def stream(_: Any, __: Any, send: Any) -> None:
        for _ in range(pieces):
            await send({"type": "http.response.body", "body": b"piece", "more_body": True})

    async def session(_: bytes) -> Caller | None:
        return await keys.caller()

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    scope: Any = {"type": "http", "method": "GET", "path": path, "headers": [(field, b"Bearer x")]}
    told: Any = stream, keys.caller, UNKNOWN_CALLER, session, RequestMetrics(), None
    try:
        asyncio.run(Admission(*told)(scope, receive, send))
    except TimeoutError as error:
        return len(sent), str(error)
    return len(sent), ""


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ADMITTED_SECONDS", -1.0)


def test_stream_ends_once_its_key_is_revoked() -> None:
    sent, why = streamed(Keys(OWNER, OWNER, KeyRevoked()))
    assert (sent, why) == (1, "an answer ends before its end: key_revoked")


def test_stream_ends_once_its_key_has_lost_the_scope() -> None:
    assert streamed(Keys(OWNER, LOCAL_CALLER)) == (0, "an answer ends before its end: key_missing")


def test_stream_goes_on_while_its_key_stands_or_cannot_be_read() -> None:
    assert streamed(Keys(OWNER)) == (5, "")
    assert streamed(Keys(OWNER, redis.ConnectionError("away"))) == (5, "")
    assert streamed(Keys(OWNER, IssuerUnavailable())) == (5, "")


def test_stream_of_the_console_ends_with_its_session() -> None:
    keys = Keys(VIEWER, VIEWER, UNKNOWN_CALLER)
    sent, why = streamed(keys, path="/console/events", field=b"cookie")
    assert (sent, why) == (1, "an answer ends before its end: key_missing")
