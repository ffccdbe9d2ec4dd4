"""`POST /predict/async` with many predictions: as lines of NDJSON, or in one JSON document."""

import asyncio
import logging
import time
from http import HTTPStatus

import msgspec
import redis
from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.fast_path import SUBMIT
from api.asgi.protocol import replay_body, send_response
from api.bulk.accepting import Acceptance, Answered, BulkServices
from api.bulk.answer import MAX_DETAILED_BYTES, MAX_UNSENT_BYTES, NDJSON, StreamedAnswer
from api.bulk.headers import (
    content_type,
    is_compressed,
    length,
    read_key,
)
from api.bulk.lines import BodyLines, ListedLines, NumberedLine
from api.bulk.parsing import Document, read_defaults, read_document
from api.bulk.problems import LineProblem, line_problem, refusal
from api.http.problems import answer_to, unavailable
from api.limits.byte_budget import UNCOUNTED_BYTES
from api.limits.json_limits import (
    CONTAINERS_PER_ROW,
    MAX_VALUES,
    refuse_many_containers,
    refuse_many_values,
)
from api.operations.request_metrics import RequestMetrics
from tasks.gateway import Gateway
from telemetry.errors import (
    Busy,
    Malformed,
    PredictqError,
    SubmissionUncertain,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

log = logging.getLogger(__name__)
MAX_SUBMISSIONS = 16
"""Bulk requests that a process accepts at a time; each holds a window of lines and an answer."""
REQUESTS_MARK = b'"requests"'
"""What a JSON body must contain to be read as a bulk request."""
UNFORESEEN = (
    "an unexpected error; lines from this one on may have been accepted: submit all again with the "
    "same Idempotency-Key"
)
MAX_DOCUMENT_ROWS = MAX_VALUES // CONTAINERS_PER_ROW
"""Rows of all predictions of a JSON document, so that it has no more lists and objects than values.
Each prediction is bounded by itself, as a line is."""
SubmittedLines = BodyLines | ListedLines


class BulkSubmissions:
    """Accepts bulk requests, a bounded number at a time."""

    def __init__(self, services: BulkServices, requests: RequestMetrics) -> None:
        self._services, self._requests = services, requests
        self.bound = services.settings.max_body_bytes
        self._free = MAX_SUBMISSIONS

    async def serve(self, lines: SubmittedLines, acceptance: Acceptance, send: Send) -> None:
        """Accept the lines and answer; raises the `PredictqError` of what cannot be begun."""
        started = time.perf_counter()
        if not self._free:
            raise Busy("too many bulk requests at this moment; try again")
        self._free -= 1
        try:
            submission = BulkSubmission(lines, acceptance, send)
            status = await submission.run(self._services)
        finally:
            self._free += 1
        self._requests.ended(SUBMIT, "POST", status, started)

    async def refuse(self, error: PredictqError, send: Send) -> None:
        """Answer why a request was refused as a whole."""
        answer = answer_to(error)
        self._requests.ended(SUBMIT, "POST", answer.status_code, time.perf_counter())
        await send_response(answer, send)

    def acceptance(self, scope: HTTPScope, document: Document | None = None) -> Acceptance:
        """How the lines of a request are accepted; raises `Invalid`."""
        defaults = document.defaults if document else read_defaults(scope["query_string"])
        return Acceptance(self._services, defaults, read_key(scope))

    async def read(self, body: bytes) -> Document | None:
        """The bulk request in a JSON body, if it is one; raises `Invalid` or `TooLarge`."""
        if len(body) <= UNCOUNTED_BYTES:
            return self._read(body)
        return await asyncio.to_thread(self._read, body)

    def _read(self, body: bytes) -> Document | None:
        with self._services.parsing.holding(len(body)):
            refuse_many_values(body)
            refuse_many_containers(body, MAX_DOCUMENT_ROWS)
            return read_document(body)


class BulkSubmission:
    """One bulk request: window by window it is accepted and answered."""

    def __init__(self, lines: SubmittedLines, acceptance: Acceptance, send: Send) -> None:
        self._lines, self._acceptance, self._send = lines, acceptance, send
        self._answer = StreamedAnswer(send, HTTPStatus.ACCEPTED, {}, MAX_UNSENT_BYTES)
        self._next = 1
        """Number of the first line that was not yet sent to Redis."""
        self._is_accepted = False
        self._refused: LineProblem | None = None

    async def run(self, services: BulkServices) -> int:
        """Accept and answer all lines; returns the status."""
        try:
            await self._accept_all(services)
            await self._read_rest()
            return await self._end()
        finally:
            self._answer.close()

    async def _accept_all(self, services: BulkServices) -> None:
        try:
            async for window in self._lines.windows():
                await self._accept(window, services.gateway)
                if self._answer.is_abandoned:
                    break
        except (PredictqError, redis.RedisError) as error:
            self._end_early(error if isinstance(error, PredictqError) else unavailable(error))
        except Exception:
            log.exception("unforeseen error in a bulk request", extra={"line": self._next})
            self._is_accepted = True  # it may be
            self._end_early(SubmissionUncertain(UNFORESEEN))

    async def _accept(self, window: list[NumberedLine], gateway: Gateway) -> None:
        if gateway.is_shutting_down:
            raise Unavailable("this process is shutting down; submit the rest again")
        self._next = window[0].number
        is_brief = self._answer.unsent_bytes > MAX_DETAILED_BYTES
        answered = await self._acceptance.accept(window, is_brief=is_brief)
        self._next = window[-1].number + 1
        await self._note(answered)

    async def _note(self, answered: Answered) -> None:
        self._is_accepted |= answered.is_accepted
        self._refused = self._refused or answered.refused
        self._answer.add(answered.text)
        if self._lines.are_over:  # then the answer is sent as a whole
            return
        if self._is_accepted:
            await self._answer.stream()
        elif self._answer.is_full:
            raise TooLarge("too many lines were refused; correct them, and submit the rest again")
        if answered.is_uncertain:  # Redis may take seconds to say nothing again
            raise Unavailable

    def _end_early(self, error: PredictqError) -> None:
        """Say in a last line where accepting ended, and why."""
        problem = line_problem(error, self._next)
        self._refused = self._refused or problem
        self._answer.add(msgspec.json.encode(problem) + b"\n")

    async def _read_rest(self) -> None:
        """After an early end, read what a client still sends; many read no answer before."""
        if self._lines.are_over or self._answer.is_abandoned:
            return
        if self._is_accepted:
            await self._answer.stream()
        if isinstance(self._lines, BodyLines):
            await self._lines.discard()

    async def _end(self) -> int:
        if self._is_accepted:
            return await self._answer.end()
        empty = Malformed("the body is empty; at least one prediction is expected")
        answer = refusal(self._refused or line_problem(empty, 1))
        await send_response(answer, self._send)
        return answer.status_code


class NdjsonSubmissions:
    """ASGI middleware that reads NDJSON while it arrives; before bodies are received whole."""

    def __init__(self, submissions: BulkSubmissions, behind: ASGIApp) -> None:
        """``behind``: the application for all other requests."""
        self._submissions, self._behind = submissions, behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass it on."""
        if scope["type"] != "http" or not _is_submission(scope) or content_type(scope) != NDJSON:
            await self._behind(scope, receive, send)
            return
        try:
            lines = self._lines(scope, receive)
            await self._submissions.serve(lines, self._submissions.acceptance(scope), send)
        except PredictqError as error:
            await self._submissions.refuse(error, send)

    def _lines(self, scope: HTTPScope, receive: Receive) -> BodyLines:
        announced, bound = length(scope), self._submissions.bound
        if is_compressed(scope):
            raise UnsupportedMediaType("the body must not be compressed")
        if announced is not None and announced > bound:
            raise TooLarge(f"the body may have at most {bound} bytes")
        return BodyLines(receive, bound, is_announced=announced is not None)


class DocumentSubmissions:
    """ASGI middleware that accepts JSON documents with a list of requests."""

    def __init__(self, submissions: BulkSubmissions, behind: ASGIApp) -> None:
        """``behind``: the application for all other requests."""
        self._submissions, self._behind = submissions, behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, whose body was received whole, or pass it on."""
        if scope["type"] != "http" or not self._may_be_document(scope):
            await self._behind(scope, receive, send)
            return
        event = await receive()
        body: bytes = event["body"]  # type: ignore[typeddict-item]  # complete, see `BodyReceiver`
        is_marked = REQUESTS_MARK in body and len(body) <= self._submissions.bound
        if not is_marked or not await self._is_served(scope, body, send):
            await self._behind(scope, replay_body(body, receive), send)

    async def _is_served(self, scope: HTTPScope, body: bytes, send: Send) -> bool:
        """Serve the request if it is a bulk request; returns whether it was."""
        try:
            document = await self._submissions.read(body)
            if document is None:
                return False
            acceptance = self._submissions.acceptance(scope, document)
            await self._submissions.serve(ListedLines(document.requests), acceptance, send)
        except PredictqError as error:
            await self._submissions.refuse(error, send)
        return True

    def _may_be_document(self, scope: HTTPScope) -> bool:
        is_json = _is_submission(scope) and content_type(scope) == "application/json"
        # A body that is too long was not received; Flask answers it.
        return (
            is_json and (length(scope) or 0) <= self._submissions.bound and not is_compressed(scope)
        )


def _is_submission(scope: HTTPScope) -> bool:
    return scope["path"] == SUBMIT and scope["method"] == "POST"
