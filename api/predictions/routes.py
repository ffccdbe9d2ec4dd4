"""Predictions over HTTP: submit, wait, look up, cancel."""

import asyncio
from functools import partial

from flask import Blueprint, Response, request

from api.http import prefer
from api.http.prefer import MAX_WAIT_SECONDS, Preference
from api.http.problems import problem_response
from api.http.responses import json_response
from api.http.rights import Rights
from api.http.urls import Urls
from api.limits.byte_budget import ByteBudget
from api.limits.concurrency import ConcurrencyLimit
from api.limits.send_budget import SendBudget
from api.predictions import outcomes
from api.predictions.outcomes import Pending
from api.predictions.submission import (
    Submission,
    fallback,
    idempotency,
    parse_submission,
    prepare_prediction,
    read_body,
)
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.messages import Prediction
from tasks.record import Record
from tasks.settings import Settings
from tasks.wire import encode
from telemetry.errors import Busy, VersionPaused


class Predictions:
    """The views. Waiting requests hold a slot of a `ConcurrencyLimit`."""

    def __init__(
        self,
        gateway: Gateway,
        registry: Registry,
        settings: Settings,
        rights: Rights,
        sending: SendBudget,
    ) -> None:
        self._gateway = gateway
        self._registry = registry
        self._settings = settings
        self._rights = rights
        self._sending = sending
        # At most half of the threads may wait, so that the rest keep answering.
        self._waiting = ConcurrencyLimit(settings.threads // 2)
        self._parsing = ByteBudget(settings.max_body_bytes)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("predictions", __name__)
        routes.post("/predict/async")(self.submit)
        routes.post("/predict")(self.submit_and_wait)
        routes.post("/models/<name>/predict")(self.submit_and_wait)
        routes.post("/models/<name>/versions/<version>/predict")(self.submit_and_wait)
        routes.get("/predict/result/<task_id>")(self.look_up)
        routes.delete("/predict/result/<task_id>")(self.cancel)
        return routes

    def submit(self) -> Response:
        """Accept a prediction; answers 202 with the location of its outcome."""
        return self._answer(self._accept(), waited=False, at_submission=True)

    async def submit_async(self, prediction: Prediction) -> Response:
        """Submit on the event loop what `prepare` returned, for a request without `Prefer`."""
        return self._plain_answer(await self._gateway.submit_async(prediction), at_submission=True)

    def submit_and_wait(self, name: str | None = None, version: str | None = None) -> Response:
        """Accept a prediction and wait for its outcome, as long as `Prefer` says.

        ``name`` and ``version`` are those in the path; a name may be ``name@alias``, too. A
        prediction that did not succeed is answered as a problem.
        """
        model = name if version is None else f"{name}:{version}"
        debug, accepted = self._rights.debug(request), self._accept(model)
        record, waited = self._wait(accepted, otherwise=MAX_WAIT_SECONDS)
        if not record.is_terminal or record.state == "succeeded":
            return self._answer_or_id(accepted, record, waited=waited)
        problem = outcomes.problem(record, debug=debug)
        response = problem_response(problem, {"Location": Urls.of(record.task_id).result})
        return _with_preference(response, waited=waited)

    def look_up(self, task_id: str) -> Response:
        """Answer the outcome, or 202 while there is none."""
        debug = self._rights.debug(request)
        record, waited = self._wait(self._gateway.look_up(task_id), otherwise=0)
        return self._answer(record, waited=waited, debug=debug)

    async def look_up_async(self, task_id: str) -> Response:
        """Look up on the event loop, without waiting; raises `RecordTooLong` for a large one."""
        record = await self._gateway.look_up_async(task_id)
        if self._gateway.queue_estimates.is_stale_for(record):
            await asyncio.to_thread(self._gateway.queue_estimates.freshen, record)
        return self._plain_answer(record)

    def cancel(self, task_id: str) -> Response:
        """Cancel a prediction without an outcome; answers the outcome that it has now."""
        return self._answer(self._gateway.cancel(task_id), waited=False)

    def _accept(self, model: str | None = None) -> Record:
        body = read_body(request, self._settings.max_body_bytes)
        with self._parsing.holding(len(body)):
            return self._accept_parsed(parse_submission(body, self._settings.max_rows, model))

    def _accept_parsed(self, submission: Submission) -> Record:
        prediction = prepare_prediction(submission, self._registry, self._settings)
        key = idempotency(request, partial(encode, submission))
        try:
            return self._gateway.submit(prediction, key)
        except VersionPaused:
            instead = fallback(submission, prediction.version, self._registry, self._settings)
            if instead is None:
                raise
        return self._gateway.submit(instead, key)

    def prepare(self, body: bytes) -> Prediction | None:
        """Check a submission on the event loop; raises `PredictqError` if anything is wrong.

        Returns None if the registry would have to be read from disk, which would block the loop.
        """
        submission = parse_submission(body, self._settings.max_rows)
        if not self._registry.knows(submission.model):
            return None
        return prepare_prediction(submission, self._registry, self._settings)

    def _wait(self, record: Record, otherwise: int) -> tuple[Record, bool]:
        """Wait as `Prefer` says; returns the record, and whether the full wait was possible."""
        seconds = _preference().seconds(otherwise)
        if record.is_terminal or not seconds:
            return record, True
        wait = partial(self._gateway.wait, record.task_id, seconds)
        return self._waiting.wait(record.task_id, wait, record)

    def _answer_or_id(self, accepted: Record, record: Record, *, waited: bool) -> Response:
        """Answer the outcome, or if that is too large to send now, the accepted prediction.

        The caller must learn the id either way.
        """
        try:
            return self._answer(record, waited=waited, at_submission=True)
        except Busy:
            if accepted.is_terminal:  # an idempotency key was given, so a retry is safe
                raise
            return self._answer(accepted, waited=False, at_submission=True)

    def _answer(
        self, record: Record, *, waited: bool, at_submission: bool = False, debug: bool = False
    ) -> Response:
        self._gateway.queue_estimates.freshen(record)
        response = self._plain_answer(record, at_submission=at_submission, debug=debug)
        response = self._sending.budgeted(response)
        return _with_preference(response, waited=waited)

    def _plain_answer(
        self, record: Record, *, at_submission: bool = False, debug: bool = False
    ) -> Response:
        headers = {"Location": Urls.of(record.task_id).result} if at_submission else {}
        if not record.is_terminal:
            headers["Retry-After"] = "1"
        return json_response(self.view(record, debug), 200 if record.is_terminal else 202, headers)

    def view(self, record: Record, debug: bool = False) -> Pending:
        """The body of the answer to a look-up."""
        result_ttl = self._settings.result_ttl
        if record.receipt is None and record.error is None:
            return outcomes.pending_body(
                record, result_ttl, self._gateway.queue_estimates.of(record)
            )
        return outcomes.outcome(record, result_ttl, debug=debug)


def _with_preference(response: Response, *, waited: bool) -> Response:
    if applied := _preference().applied(waited=waited):
        response.headers["Preference-Applied"] = applied
    return response


def _preference() -> Preference:
    return prefer.parse_prefer(request.headers.get("Prefer", ""))
