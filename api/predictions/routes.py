"""Predictions over HTTP: submit, wait, look up, cancel."""

import asyncio
from functools import partial

from flask import Blueprint, Response, request

from api.asgi.concurrency import ConcurrencyLimit
from api.asgi.parse_budget import ParseBudget
from api.asgi.sending import Sending
from api.http import prefer
from api.http.prefer import MAX_WAIT_SECONDS, Preference
from api.http.problems import problem_response
from api.http.responses import answer
from api.http.rights import Rights
from api.http.urls import Urls
from api.predictions import outcomes
from api.predictions.outcomes import Pending
from api.predictions.submission import Submission, fallback, idempotency, parse, prepare, read
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.messages import Prediction
from tasks.record import Record
from tasks.settings import Settings
from tasks.wire import encode
from telemetry.errors import Busy, VersionPaused


class Predictions:
    """The views; a waiting request holds one of a bounded number of places."""

    def __init__(
        self,
        gateway: Gateway,
        registry: Registry,
        settings: Settings,
        rights: Rights,
        sending: Sending,
    ) -> None:
        self._gateway = gateway
        self._registry = registry
        self._settings = settings
        self._rights = rights
        self._sending = sending
        # Half of the threads may wait; the rest keep answering.
        self._waiting = ConcurrencyLimit(settings.threads // 2)
        self._parsing = ParseBudget(settings.max_body_bytes)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("predictions", __name__)
        routes.post("/predict/async")(self.submit)
        routes.post("/predict")(self.submit_and_wait)
        routes.get("/predict/result/<task_id>")(self.look_up)
        routes.delete("/predict/result/<task_id>")(self.cancel)
        return routes

    def submit(self) -> Response:
        """Accept a prediction and say where its outcome will be."""
        return self._answer(self._accept(), waited=False, at_submission=True)

    async def submit_soon(self, prediction: Prediction) -> Response:
        """The same on an event loop, of what was prepared and nobody prefers anything about."""
        return self._plain_answer(await self._gateway.submit_soon(prediction), at_submission=True)

    def submit_and_wait(self) -> Response:
        """Accept a prediction and wait for its outcome, as long as the caller prefers.

        Who waits for predictions and gets none is told of a problem.
        """
        debug, accepted = self._rights.debug(request), self._accept()
        record, waited = self._wait(accepted, otherwise=MAX_WAIT_SECONDS)
        if not record.is_terminal or record.state == "succeeded":
            return self._answer_or_id(accepted, record, waited=waited)
        problem = outcomes.problem(record, debug=debug)
        response = problem_response(problem, {"Location": Urls.of(record.task_id).result})
        return _with_preference(response, waited=waited)

    def look_up(self, task_id: str) -> Response:
        """The outcome, or 202 until there is one."""
        debug = self._rights.debug(request)
        record, waited = self._wait(self._gateway.look_up(task_id), otherwise=0)
        return self._answer(record, waited=waited, debug=debug)

    async def look_up_soon(self, task_id: str) -> Response:
        """The same on an event loop, for who does not wait."""
        record = await self._gateway.look_up_soon(task_id)
        if self._gateway.outlooks.is_stale_for(record):
            await asyncio.to_thread(self._gateway.outlooks.freshen, record)
        return self._plain_answer(record)

    def cancel(self, task_id: str) -> Response:
        """Cancel what has no outcome yet; gives the outcome that stands."""
        return self._answer(self._gateway.cancel(task_id), waited=False)

    def _accept(self) -> Record:
        body = read(request, self._settings.max_body_bytes)
        with self._parsing.holding(len(body)):
            return self._accept_parsed(parse(body, self._settings.max_rows))

    def _accept_parsed(self, submission: Submission) -> Record:
        prediction = prepare(submission, self._registry, self._settings)
        key = idempotency(request, partial(encode, submission))
        try:
            return self._gateway.submit(prediction, key)
        except VersionPaused:
            instead = fallback(submission, prediction, self._registry, self._settings)
            if instead is None:
                raise
        return self._gateway.submit(instead, key)

    def prepare(self, body: bytes) -> Prediction | None:
        """Check a submission; raises `PredictqError` where anything is wrong with it.

        None where the registry would have to be read for it, which an event loop must not wait for.
        """
        submission = parse(body, self._settings.max_rows)
        if not self._registry.knows(submission.model):
            return None
        return prepare(submission, self._registry, self._settings)

    def _wait(self, record: Record, otherwise: int) -> tuple[Record, bool]:
        """The record as it is then, and whether it was waited for as long as preferred."""
        seconds = _preference().seconds(otherwise)
        if record.is_terminal or not seconds:
            return record, True
        wait = partial(self._gateway.wait, record.task_id, seconds)
        return self._waiting.wait(record.task_id, wait, record)

    def _answer_or_id(self, accepted: Record, record: Record, *, waited: bool) -> Response:
        """The outcome; as it was accepted where that is too large now, for its id is to be told."""
        try:
            return self._answer(record, waited=waited, at_submission=True)
        except Busy:
            if accepted.is_terminal:  # by a key, so asking again is no second submission
                raise
            return self._answer(accepted, waited=False, at_submission=True)

    def _answer(
        self, record: Record, *, waited: bool, at_submission: bool = False, debug: bool = False
    ) -> Response:
        self._gateway.outlooks.freshen(record)
        response = self._plain_answer(record, at_submission=at_submission, debug=debug)
        response = self._sending.held(response)
        return _with_preference(response, waited=waited)

    def _plain_answer(
        self, record: Record, *, at_submission: bool = False, debug: bool = False
    ) -> Response:
        headers = {"Location": Urls.of(record.task_id).result} if at_submission else {}
        if not record.is_terminal:
            headers["Retry-After"] = "1"
        return answer(self._view(record, debug), 200 if record.is_terminal else 202, headers)

    def _view(self, record: Record, debug: bool) -> Pending:
        result_ttl = self._settings.result_ttl
        if record.receipt is None and record.error is None:
            return outcomes.pending(record, result_ttl, self._gateway.outlooks.of(record))
        return outcomes.outcome(record, result_ttl, debug=debug)


def _with_preference(response: Response, *, waited: bool) -> Response:
    if applied := _preference().applied(waited=waited):
        response.headers["Preference-Applied"] = applied
    return response


def _preference() -> Preference:
    return prefer.parse(request.headers.get("Prefer", ""))
