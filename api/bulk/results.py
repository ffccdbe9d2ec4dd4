"""`POST /predict/results`: the outcomes of many predictions as lines of NDJSON."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send
from msgspec.structs import replace
from werkzeug.exceptions import MethodNotAllowed

from api.asgi.plain import preference
from api.asgi.protocol import send_response
from api.bulk.answer import StreamedAnswer
from api.bulk.gateway import MAX_READ_BYTES, WINDOW_LINES, BulkGateway, Found
from api.bulk.ids import read_ids
from api.callers.current import caller_in
from api.http.prefer import Preference
from api.http.problems import answer_to, problem_of, unavailable
from api.limits.byte_budget import UNCOUNTED_BYTES
from api.limits.send_budget import SendBudget
from api.operations.request_metrics import RequestMetrics
from api.predictions.routes import Predictions
from tasks.callers.caller import Caller
from tasks.gateway import Gateway
from tasks.ledger.ledger import RecordTooLong
from tasks.record import Record
from tasks.waiting.wait import Wait
from tasks.waiting.waits import Waits
from telemetry.errors import Busy, PredictqError

RESULTS = "/predict/results"
MAX_REQUESTS = 64
"""Requests for results that a process answers at a time."""


@dataclass
class Waiting:
    """The caller of a request that waits for outcomes, and the end of its wait."""

    caller: Caller
    until: float
    """End of the wait, in `time.monotonic` seconds."""
    wait: Wait | None = None
    """The id that the request waits for now."""
    has_left: bool = False
    """Whether the client has disconnected."""

    def left(self) -> float:
        """Seconds; none once the client has disconnected."""
        return 0.0 if self.has_left else max(self.until - time.monotonic(), 0.0)

    async def end_on_disconnect(self, receive: Receive) -> None:
        """End the waiting once the client has disconnected; its body must have been received."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.has_left = True
        if self.wait is not None:
            self.wait.end()


class Results:
    """ASGI middleware that answers with the outcomes of many predictions."""

    def __init__(
        self,
        predictions: Predictions,
        gateway: Gateway,
        waits: Waits,
        sending: SendBudget,
        requests: RequestMetrics,
        behind: ASGIApp,
    ) -> None:
        """``behind``: the application for all other requests."""
        self._predictions, self._waits, self._bulk = predictions, waits, BulkGateway(gateway)
        self._sending, self._requests, self._behind = sending, requests, behind
        self._free = MAX_REQUESTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http" or scope["path"] != RESULTS:
            await self._behind(scope, receive, send)
            return
        started = time.perf_counter()
        try:
            status = await self._serve(scope, receive, send)
        except (PredictqError, redis.RedisError, MethodNotAllowed) as error:
            answer = answer_to(error)
            status = answer.status_code
            await send_response(answer, send)
        self._requests.ended(RESULTS, scope["method"], status, started)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> int:
        if scope["method"] != "POST":
            raise MethodNotAllowed(["POST"])
        ids = await read_ids(scope, receive)
        if not self._free:
            raise Busy("too many requests for results are in progress; try again later")
        self._free -= 1
        preferred = preference(scope)
        waiting = Waiting(caller_in(scope), time.monotonic() + preferred.seconds(0))
        watch = asyncio.ensure_future(waiting.end_on_disconnect(receive))
        try:
            return await self._answer(ids, preferred, waiting, send)
        finally:
            watch.cancel()
            self._free += 1

    async def _answer(
        self, ids: Sequence[str], preferred: Preference, waiting: Waiting, send: Send
    ) -> int:
        applied = preferred.applied(waited=True)
        headers = {"preference-applied": applied} if applied else {}
        answer, told = StreamedAnswer(send, HTTPStatus.OK, headers, MAX_READ_BYTES), 0
        try:
            async for found in self._found(ids, waiting):
                for task_id, each in zip(ids[told:], found, strict=False):
                    await self._tell(answer, task_id, each, len(found) == 1)
                told += len(found)
                if answer.is_abandoned:
                    break
                if told < len(ids):
                    await answer.stream()
            return await answer.end()
        finally:
            answer.close()

    async def _found(self, ids: Sequence[str], waiting: Waiting) -> AsyncIterator[list[Found]]:
        """Yield what is found, in order. A failure of Redis after the first is told for each id."""
        told = 0
        try:
            for start in range(0, len(ids), WINDOW_LINES):
                window = ids[start : start + WINDOW_LINES]
                await self._wait(window, waiting)
                while window:
                    found = await self._bulk.look_up(window, waiting.caller)
                    yield found
                    told, window = told + len(found), window[len(found) :]
        except redis.RedisError as error:
            if not told:
                raise
            failure: list[Found] = [unavailable(error)]
            yield failure * (len(ids) - told)

    async def _wait(self, window: Sequence[str], waiting: Waiting) -> None:
        """Wait until all of a window have outcomes, or the waiting is over."""
        pending = list(window) if waiting.left() else []
        while pending := await self._bulk.still_open(pending) if pending else []:
            # The queue is in order: once the last one has its outcome, most others have theirs.
            # Without those that the caller does not see, which are answered as unknown at once.
            if not await self._wait_for(pending.pop(), waiting):
                return

    async def _wait_for(self, task_id: str, waiting: Waiting) -> bool:
        """Wait for an outcome; returns whether there is one in time."""
        (found,) = await self._bulk.look_up([task_id], waiting.caller)
        if not isinstance(found, Record) or found.is_terminal:
            return True
        wait = waiting.wait = await self._waits.begin_unbounded(task_id)
        wait.notify()  # the outcome may have come before this process listened
        try:
            return (await wait.outcome(found, waiting.left())).is_terminal
        except (RecordTooLong, PredictqError):  # the answer tells which it is
            return True
        finally:
            self._waits.end(wait)

    async def _tell(self, answer: StreamedAnswer, task_id: str, found: Found, alone: bool) -> None:
        # A record that came alone may have megabytes, and the event loop serves others.
        text = (
            await asyncio.to_thread(self._line, task_id, found)
            if alone
            else self._line(task_id, found)
        )
        if len(text) <= UNCOUNTED_BYTES:
            answer.add(text)
            return
        try:
            with self._sending.holding(len(text)):
                answer.add(text)
                await answer.drain()
        except Busy as error:
            answer.add(self._line(task_id, error))

    def _line(self, task_id: str, found: Found) -> bytes:
        if isinstance(found, Record):
            return msgspec.json.encode(self._predictions.view(found)) + b"\n"
        return msgspec.json.encode(replace(problem_of(found), id=task_id)) + b"\n"
