"""Which requests the fast path answers, and which it passes on."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.asgi.fast_path import FastPath
from api.asgi.plain import MAX_FAST_BODY_BYTES
from api.predictions.routes import Predictions
from tasks.ledger.ledger import RecordTooLong
from tasks.settings import Settings


class Behind:
    """Counts its calls."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, *_: Any) -> None:
        self.asked += 1


class Unread:
    """A registry that has read nothing yet, and must not read now."""

    def knows(self, _: str) -> bool:
        return False

    def resolve(self, _: str) -> None:
        raise AssertionError("this reads files")


def test_look_up_with_a_query_is_left_to_flask() -> None:
    """It may have `debug=true`, which needs a right."""
    behind, nobody = Behind(), Any
    scope: Any = {"type": "http", "method": "GET", "path": "/predict/result/a", "headers": []}
    scope["query_string"] = b"debug=true"
    asyncio.run(FastPath(nobody, nobody, behind, 100)(scope, nobody, nobody))
    assert behind.asked == 1


def test_model_that_is_not_cached_is_left_to_flask() -> None:
    """Looking up an unknown name reads the disk, and callers can invent names."""
    behind, nobody = Behind(), Any
    headers = [(b"content-type", b"application/json"), (b"content-length", b"41")]
    scope: Any = {"type": "http", "method": "POST", "path": "/predict/async", "headers": headers}
    scope["query_string"] = b""

    async def receive() -> Any:
        return {"type": "http.request", "body": b'{"model": "invented", "features": [1.0]}'}

    registry: Any = Unread()
    settings = Settings(home=Path("/nowhere"), redis_url="")
    predictions: Any = Predictions(nobody, registry, settings, nobody)
    asyncio.run(FastPath(predictions, nobody, behind, 100)(scope, receive, nobody))
    assert behind.asked == 1


def test_look_up_of_a_large_outcome_is_left_to_flask() -> None:
    behind, nobody = Behind(), Any
    scope: Any = {"type": "http", "method": "GET", "path": "/predict/result/a", "headers": []}
    scope["query_string"] = b""

    async def look_up(*_: Any) -> None:
        raise RecordTooLong

    predictions: Any = SimpleNamespace(look_up_async=look_up)
    asyncio.run(FastPath(predictions, nobody, behind, 100)(scope, nobody, nobody))
    assert behind.asked == 1


@pytest.mark.parametrize(
    ("bound", "length"), [(100, 101), (10 * MAX_FAST_BODY_BYTES, MAX_FAST_BODY_BYTES + 1)]
)
def test_body_beyond_its_bounds_is_left_to_flask(bound: int, length: int) -> None:
    behind = Behind()
    nobody: Any = None
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
    scope: Any = {"type": "http", "method": "POST", "path": "/predict/async", "headers": headers}
    scope["query_string"] = b""
    asyncio.run(FastPath(nobody, nobody, behind, bound)(scope, nobody, nobody))
    assert behind.asked == 1
