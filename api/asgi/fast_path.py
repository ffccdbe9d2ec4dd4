"""The express lane: plain submissions and look-ups, answered on the event loop without a thread.

It takes only what is plainly right, and leaves everything else to Flask behind it, which knows
every case. Handing a request to a thread costs more than all that is done for a plain one.
"""

import time

import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.protocol import once_more, send_response
from api.http.problems import answer_to
from api.operations.request_metrics import Requests
from api.predictions.routes import Predictions
from tasks.ledger.ledger import Long
from telemetry.errors import PredictqError, VersionPaused

SUBMIT, LOOK_UP = "/predict/async", "/predict/result/"
MAX_FAST_BODY_BYTES = 2**16
"""Bytes of a body that is checked here; a longer one would hold up the others."""
_special = {
    b"prefer",
    b"idempotency-key",
    b"content-encoding",
    b"transfer-encoding",
}


class FastPath:
    """An ASGI application in front of another."""

    def __init__(
        self, predictions: Predictions, requests: Requests, behind: ASGIApp, bound: int
    ) -> None:
        """``bound`` is the greatest size of any body, in bytes."""
        self._longest = min(MAX_FAST_BODY_BYTES, bound)
        self._predictions = predictions
        self._requests = requests
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or leave it to who is behind."""
        if scope["type"] == "http" and _is_plain_submission(scope, self._longest):
            await self._submit(scope, receive, send)
        elif scope["type"] == "http" and _is_plain_look_up(scope):
            await self._look_up(scope, receive, send)
        else:
            await self._behind(scope, receive, send)

    async def _submit(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started, event = time.perf_counter(), await receive()
        body: bytes = event["body"]  # type: ignore[typeddict-item]  # whole, see `Receiving`
        try:
            prediction = self._predictions.prepare(body)
        except PredictqError:  # Flask says what is wrong with it
            prediction = None
        if prediction is None:
            await self._behind(scope, once_more(body, receive), send)
            return
        try:
            answer = await self._predictions.submit_soon(prediction)
        except VersionPaused:  # its fallback is Flask's business
            await self._behind(scope, once_more(body, receive), send)
            return
        except (PredictqError, redis.RedisError) as error:
            answer = answer_to(error)
        self._requests.ended(SUBMIT, "POST", answer.status_code, started)
        await send_response(answer, send)

    async def _look_up(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            answer = await self._predictions.look_up_soon(scope["path"].removeprefix(LOOK_UP))
        except Long:
            await self._behind(scope, receive, send)
            return
        except (PredictqError, redis.RedisError) as error:
            answer = answer_to(error)
        self._requests.ended(f"{LOOK_UP}<task_id>", "GET", answer.status_code, started)
        await send_response(answer, send)


def _is_plain_submission(scope: HTTPScope, longest: int) -> bool:
    if scope["method"] != "POST" or scope["path"] != SUBMIT:
        return False
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    short = length.isdigit() and len(length) < 6 and int(length) <= longest
    return (
        short
        and headers.get(b"content-type") == b"application/json"
        and _special.isdisjoint(headers)
    )


def _is_plain_look_up(scope: HTTPScope) -> bool:
    path = scope["path"]
    if scope["method"] != "GET" or not path.startswith(LOOK_UP) or "/" in path[len(LOOK_UP) :]:
        return False
    if scope["query_string"]:  # it may ask for what not everybody is told
        return False
    return path != LOOK_UP and _special.isdisjoint(name for name, _ in scope["headers"])
