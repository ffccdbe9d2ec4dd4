"""Answers requests that wait for an outcome: submissions, and look-ups with `Prefer: wait`.

Nothing here holds a thread for as long as a caller waits.
"""

import re
import time
from collections.abc import Awaitable, Callable

import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.fast_path import LOOK_UP, LOOK_UP_ROUTE
from api.asgi.plain import preference
from api.asgi.protocol import send_response
from api.http.problems import answer_to
from api.operations.request_metrics import RequestMetrics
from api.waiting.answering import Answering
from api.waiting.entering import SUBMIT_AND_WAIT, Entered, Entering
from telemetry.errors import PredictqError

MODEL_ROUTE, VERSION_ROUTE = (
    "/models/<name>/predict",
    "/models/<name>/versions/<version>/predict",
)
INFERENCE_ROUTE, VERSION_INFERENCE_ROUTE = (
    "/v2/models/<name>/infer",
    "/v2/models/<name>/versions/<version>/infer",
)
_of_model = [
    (route, re.compile(re.sub("<[a-z]+>", "[^/]+", route)))
    for route in (MODEL_ROUTE, VERSION_ROUTE, INFERENCE_ROUTE, VERSION_INFERENCE_ROUTE)
]
Enter = Callable[[HTTPScope, Receive, Send], Awaitable[Entered | None]]


class WaitingPath:
    """ASGI middleware that answers requests which wait."""

    def __init__(
        self,
        entering: Entering,
        answering: Answering,
        requests: RequestMetrics,
        behind: ASGIApp,
    ) -> None:
        """``behind``: the application for all other requests."""
        self._entering, self._answering = entering, answering
        self._requests, self._behind = requests, behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
        elif scope["method"] == "POST" and scope["path"] == SUBMIT_AND_WAIT:
            await self._serve(SUBMIT_AND_WAIT, self._entering.submitted, scope, receive, send)
        elif scope["method"] == "POST" and (route := _route_of_model(scope["path"])):
            await self._serve(route, self._entering.submitted_by_flask, scope, receive, send)
        elif _is_waiting_look_up(scope):
            await self._serve(LOOK_UP_ROUTE, self._entering.looked_up, scope, receive, send)
        else:
            await self._behind(scope, receive, send)

    async def _serve(
        self, route: str, enter: Enter, scope: HTTPScope, receive: Receive, send: Send
    ) -> None:
        started = time.perf_counter()
        try:
            entered = await enter(scope, receive, send)
            if entered is None:  # answered and recorded by Flask
                return
            status = await self._answering.answer(entered, receive, send)
        except (PredictqError, redis.RedisError) as error:
            answer = answer_to(error)
            status = answer.status_code
            await send_response(answer, send)
        self._requests.ended(route, scope["method"], status, started)


def _route_of_model(path: str) -> str:
    """The route of a submission that has the model in its path; empty for any other path."""
    return next((route for route, form in _of_model if form.fullmatch(path)), "")


def _is_waiting_look_up(scope: HTTPScope) -> bool:
    # A look-up that does not wait is answered by the fast path.
    path = scope["path"]
    is_look_up = scope["method"] == "GET" and path.startswith(LOOK_UP) and path != LOOK_UP
    return is_look_up and "/" not in path[len(LOOK_UP) :] and preference(scope).seconds(0) > 0
