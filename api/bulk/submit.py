"""`POST /predict/async` with many predictions: as lines of NDJSON, or in one JSON document."""

import asyncio
import time

from a2wsgi.asgi_typing import ASGIApp, HTTPScope, Receive, Scope, Send

from api.asgi.fast_path import SUBMIT
from api.asgi.plain import caller_of
from api.asgi.protocol import replay_body, send_response
from api.bulk.accepting import Acceptance, BulkServices
from api.bulk.answer import NDJSON
from api.bulk.headers import (
    content_type,
    is_compressed,
    length,
    read_key,
)
from api.bulk.lines import BodyLines, ListedLines
from api.bulk.parsing import Document, read_document
from api.bulk.submission import BulkSubmission, SubmittedLines
from api.callers.current import caller_in
from api.http.problems import answer_to
from api.limits.byte_budget import UNCOUNTED_BYTES
from api.limits.json_limits import (
    CONTAINERS_PER_ROW,
    MAX_VALUES,
    refuse_many_containers,
    refuse_many_values,
)
from api.operations.request_metrics import RequestMetrics
from api.predictions.defaults import Defaults, read_defaults
from telemetry.errors import (
    Busy,
    PredictqError,
    TooLarge,
    UnsupportedMediaType,
)

MAX_SUBMISSIONS = 16
"""Bulk requests that a process accepts at a time; each holds a window of lines and an answer."""
REQUESTS_MARK = b'"requests"'
"""Text that a JSON body contains if it may be a bulk request."""
MAX_DOCUMENT_ROWS = MAX_VALUES // CONTAINERS_PER_ROW
"""Rows of all predictions of a JSON document, so that it has no more lists and objects than values.
Each prediction is bounded by itself, as a line is."""


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
            raise Busy("too many bulk requests are in progress; try again later")
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
        if document is None:
            defaults = read_defaults(scope["query_string"], Defaults)
        else:
            defaults = document.defaults
        return Acceptance(
            self._services, defaults, caller_in(scope), read_key(scope), caller_of(scope)
        )

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
