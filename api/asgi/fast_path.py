"""The fast path: plain submissions and look-ups, answered on the event loop without a thread.

It takes only simple valid requests and passes everything else to Flask, which handles every case.
Handing a request to a thread costs more than all the work for a simple one.
"""

import time
from functools import partial

import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.plain import (
    MAX_FAST_BODY_BYTES,
    is_plain_submission,
    key_of,
    looked_up_id,
    preference,
    sticky_of,
)
from api.asgi.protocol import replay_body, send_json, send_response
from api.callers.current import caller_in
from api.http.problems import answer_to
from api.operations.request_metrics import RequestMetrics
from api.predictions.routes import Predictions
from tasks.ledger.ledger import RecordTooLong
from telemetry.errors import PredictqError, VersionPaused

SUBMIT, LOOK_UP = "/predict/async", "/predict/result/"
LOOK_UP_ROUTE = f"{LOOK_UP}<task_id>"


class FastPath:
    """ASGI middleware that answers simple requests itself."""

    def __init__(
        self, predictions: Predictions, requests: RequestMetrics, behind: ASGIApp, bound: int
    ) -> None:
        """``behind``: the application for all other requests. ``bound``: greatest body in bytes."""
        self._longest = min(MAX_FAST_BODY_BYTES, bound)
        self._predictions = predictions
        self._requests = requests
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] == "http" and _is_plain_submission(scope, self._longest):
            await self._submit(scope, receive, send)
        elif scope["type"] == "http" and (task_id := looked_up_id(scope, LOOK_UP)):
            await self._look_up(task_id, scope, receive, send)
        else:
            await self._behind(scope, receive, send)

    async def _submit(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started, event = time.perf_counter(), await receive()
        body: bytes = event["body"]  # type: ignore[typeddict-item]  # complete, see `BodyReceiver`
        try:
            prepared = self._predictions.prepare(
                body, None, caller_in(scope), partial(sticky_of, scope)
            )
        except PredictqError:  # Flask answers what is wrong
            prepared = None
        if prepared is None:
            await self._behind(scope, replay_body(body, receive), send)
            return
        try:
            answer = await self._predictions.submit_async(prepared[0], preference(scope))
        except VersionPaused:  # Flask handles the fallback
            await self._behind(scope, replay_body(body, receive), send)
            return
        except (PredictqError, redis.RedisError) as error:
            # Not handed on to Flask, which would submit again under another id: this one may be
            # queued.
            await self._refuse(error, SUBMIT, "POST", started, send)
            return
        self._requests.ended(SUBMIT, "POST", answer.status, started)
        await send_json(answer, send)

    async def _look_up(self, task_id: str, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            answer = await self._predictions.look_up_async(
                task_id, preference(scope), caller_in(scope)
            )
        except RecordTooLong:  # a thread reads it: parsing it would hold up all other requests
            await self._behind(scope, receive, send)
            return
        except (PredictqError, redis.RedisError) as error:
            await self._refuse(error, LOOK_UP_ROUTE, "GET", started, send)
            return
        self._requests.ended(LOOK_UP_ROUTE, "GET", answer.status, started)
        await send_json(answer, send)

    async def _refuse(
        self,
        error: PredictqError | redis.RedisError,
        route: str,
        method: str,
        started: float,
        send: Send,
    ) -> None:
        answer = answer_to(error)
        self._requests.ended(route, method, answer.status_code, started)
        await send_response(answer, send)


def _is_plain_submission(scope: HTTPScope, longest: int) -> bool:
    if scope["method"] != "POST" or scope["path"] != SUBMIT:
        return False
    # Flask looks up the prediction of a key that is known.
    return is_plain_submission(scope, longest) and key_of(scope) is None
