"""Takes requests for events, a bounded number at a time."""

import time

import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send
from werkzeug.exceptions import MethodNotAllowed

from api.asgi.plain import field
from api.asgi.protocol import send_response
from api.asgi.server_sent_events import StreamSender, run_until_left
from api.callers.current import caller_in
from api.events.stream import EventStream
from api.http.problems import answer_to
from api.operations.request_metrics import RequestMetrics
from tasks.events.log import EventLog
from tasks.events.news import News
from telemetry.errors import Busy, PredictqError

EVENTS_PATH = "/events"
MAX_STREAMS = 64
"""Callers that follow events at a time in a process."""
OK = 200


class Following:
    """ASGI middleware that streams events."""

    def __init__(
        self,
        log: EventLog,
        news: News,
        requests: RequestMetrics,
        behind: ASGIApp,
    ) -> None:
        """``behind``: the application for all other requests."""
        self._log, self._news = log, news
        self._requests, self._behind = requests, behind
        self._free = MAX_STREAMS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http" or scope["path"] != EVENTS_PATH:
            await self._behind(scope, receive, send)
            return
        started, status = time.perf_counter(), OK
        try:
            self._check(scope)
            await self._follow(scope, receive, send)
        except (PredictqError, redis.RedisError, MethodNotAllowed) as error:
            answer = answer_to(error)
            status = answer.status_code
            await send_response(answer, send)
        self._requests.ended(EVENTS_PATH, scope["method"], status, started)

    def _check(self, scope: HTTPScope) -> None:
        if scope["method"] != "GET":
            raise MethodNotAllowed(["GET"])
        if not self._free:
            raise Busy("too many callers are following events; try again later")

    async def _follow(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        self._free -= 1
        stream = EventStream(self._log, self._news, StreamSender(send), caller_in(scope).sees)
        try:
            await run_until_left(stream.run(field(scope, b"last-event-id") or None), receive)
        finally:
            self._free += 1
