"""One bulk request: its lines are accepted and answered window by window."""

import logging
from http import HTTPStatus

import msgspec
import redis
from a2wsgi.asgi_typing import Send

from api.asgi.protocol import send_response
from api.bulk.accepting import Acceptance, Answered, BulkServices
from api.bulk.answer import MAX_DETAILED_BYTES, MAX_UNSENT_BYTES, StreamedAnswer
from api.bulk.lines import BodyLines, ListedLines, NumberedLine
from api.bulk.problems import LineProblem, line_problem, refusal
from api.http.problems import unavailable
from tasks.gateway import Gateway
from telemetry.errors import (
    Malformed,
    PredictqError,
    SubmissionUncertain,
    TooLarge,
    Unavailable,
)

log = logging.getLogger(__name__)
UNFORESEEN = (
    "an unexpected error; lines from this one on may have been accepted: submit all again with the "
    "same Idempotency-Key"
)
SubmittedLines = BodyLines | ListedLines


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
            self._is_accepted = True  # it may have been accepted
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
        if answered.is_uncertain:  # another call may wait for Redis for seconds, too
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
