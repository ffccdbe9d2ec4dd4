"""Predictions over HTTP: submit, look up, cancel; the event loop waits for an `AwaitedOutcome`."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import msgspec
import redis
from flask import Blueprint, Response, g, request

from api.callers.current import current_caller
from api.callers.debugging import wants_debug
from api.callers.seeing import seen
from api.http import prefer
from api.http.prefer import MAX_WAIT_SECONDS, PREFERENCE_APPLIED, Preference
from api.http.problems import problem_response
from api.http.responses import JsonAnswer, json_response
from api.http.urls import Urls
from api.limits.byte_budget import ByteBudget
from api.limits.send_budget import SendBudget
from api.predictions import outcomes
from api.predictions.arrow_answer import arrow_response
from api.predictions.arrow_submission import arrow_submission
from api.predictions.outcomes import Pending
from api.predictions.submission import (
    JSON_TYPE,
    StickyKey,
    Submission,
    fallback,
    idempotency,
    identified,
    parse_submission,
    prepare_prediction,
    read_body,
    sticky_key,
)
from registry.store import Registry
from tasks.arrow.stream import ARROW
from tasks.callers.caller import Caller
from tasks.gateway import Gateway
from tasks.messages import Idempotency, Prediction
from tasks.record import Record
from tasks.settings import Settings
from tasks.wire import encode
from telemetry.errors import PredictqError, VersionPaused

ASKED = "predictq.asked"
"""Key in an ASGI scope: a list to which a view adds an `AwaitedOutcome`, if it is there."""


class AwaitedOutcome(msgspec.Struct, frozen=True):
    """A request that is to be answered with an outcome, once there is one."""

    accepted: Record
    preference: Preference = Preference()
    seconds: int = 0
    """How long to wait for the outcome."""
    is_submission: bool = False
    debug: bool = False
    arrow: bool = False
    """Whether predictions are wanted as an Arrow stream."""
    form: Callable[[Record], Response] | None = None
    """Writes the answer, but for a prediction that did not succeed; None for the form of our own
    routes."""
    then: Callable[[Record], "AwaitedOutcome"] | None = None
    """What to wait for once this prediction has succeeded, instead of answering."""

    def following(self, record: Record) -> "AwaitedOutcome | None":
        """What to wait for next; None if the record is to be answered."""
        return self.then(record) if self.then and record.state == "succeeded" else None


class Predictions:
    """The views. None of them waits: that would hold a thread."""

    def __init__(
        self,
        gateway: Gateway,
        registry: Registry,
        settings: Settings,
        sending: SendBudget,
    ) -> None:
        self._gateway = gateway
        self._registry = registry
        self._settings = settings
        self._sending = sending
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
        return self.told_at_once(self._accept())

    def told_at_once(self, record: Record) -> Response:
        """The answer to a submission that does not wait."""
        self._gateway.queue_estimates.freshen(record)
        response = self._record(record, at_submission=True)
        return self._sending.budgeted(_with_preference(response, _preference(), waited=False))

    async def submit_async(self, prediction: Prediction, preference: Preference) -> JsonAnswer:
        """Submit on the event loop what `prepare` returned; does not wait."""
        record = await self._gateway.accept_async(self._gateway.offer(prediction))
        return self._plain(record, preference, at_submission=True)

    def submit_and_wait(self, name: str | None = None, version: str | None = None) -> Response:
        """Accept a prediction whose outcome is waited for, as long as `Prefer` says.

        ``name`` and ``version`` are those in the path; a name may be ``name@alias``, too. A
        prediction that did not succeed is answered as a problem.
        """
        model = name if version is None else f"{name}:{version}"
        debug, arrow = wants_debug(request), self._wants_arrow()
        accepted = self._accept(model)
        return self.waited_for(
            self.asked(accepted, _preference(), is_submission=True, debug=debug, arrow=arrow)
        )

    def look_up(self, task_id: str) -> Response:
        """Answer the outcome, or 202 while there is none."""
        debug, arrow = wants_debug(request), self._wants_arrow()
        record = seen(current_caller(request), self._gateway.look_up(task_id))
        return self.waited_for(self.asked(record, _preference(), debug=debug, arrow=arrow))

    async def look_up_async(
        self, task_id: str, preference: Preference, caller: Caller
    ) -> JsonAnswer:
        """Look up on the event loop, without waiting; raises `RecordTooLong` for a large one."""
        record = seen(caller, await self._gateway.look_up_async(task_id))
        await self.freshen_async(record)
        return self._plain(record, preference)

    def cancel(self, task_id: str) -> Response:
        """Cancel a prediction without an outcome; answers the outcome that it has now."""
        # Looked up first, as a caller may cancel only what it sees.
        seen(current_caller(request), self._gateway.look_up(task_id))
        response = self._record(self._gateway.cancel(task_id))
        return self._sending.budgeted(_with_preference(response, _preference(), waited=False))

    async def freshen_async(self, record: Record) -> None:
        """Read the state of the queue, if the known one is too old for this prediction."""
        if self._gateway.queue_estimates.is_stale_for(record):
            await asyncio.to_thread(self._gateway.queue_estimates.freshen, record)

    def _accept(self, model: str | None = None) -> Record:
        body = read_body(request, self._settings.max_body_bytes, (JSON_TYPE, ARROW))
        # For as long as the parsed body is in memory, where it takes many times its bytes.
        with self._parsing.holding(len(body)):
            return self._accept_parsed(self._parsed(body, model))

    def _parsed(self, body: bytes, model: str | None) -> Submission:
        if request.mimetype == ARROW:
            most = self._settings.max_rows
            return arrow_submission(body, request.query_string, most, model)
        return parse_submission(body, self._settings.max_rows, model)

    def _accept_parsed(self, submission: Submission) -> Record:
        # The fingerprint is of the submission as it was read, so a caller may repeat it with other
        # spaces, or its fields in another order.
        return self.accept(submission, idempotency(request, partial(encode, submission)))

    def accept(self, submission: Submission, key: Idempotency | None = None) -> Record:
        """Accept a submission, or the same for the fallback of a version that is paused."""
        caller, sticky = current_caller(request), partial(sticky_key, request)
        prediction = prepare_prediction(submission, self._registry, self._settings, caller, sticky)
        try:
            return self._gateway.submit(prediction, key)
        except VersionPaused:
            instead = fallback(
                submission, prediction.version, self._registry, self._settings, caller, sticky
            )
            if instead is None:
                raise
        # Not in the `except` block: an error of the fallback was not caused by the pause.
        return self._gateway.submit(instead, key)

    def withdraw(self, accepted: Iterable[Record]) -> None:
        """Cancel predictions whose ids no caller gets, as far as Redis answers."""
        for record in accepted:
            with suppress(PredictqError, redis.RedisError):
                self._gateway.cancel(record.task_id)

    def prepare(
        self, body: bytes, key: str | None, caller: Caller, sticky: StickyKey
    ) -> tuple[Prediction, Idempotency | None] | None:
        """Check a submission on the event loop; raises `PredictqError` if anything is wrong.

        ``key``: its idempotency key. ``sticky`` and ``tenant``: as of `prepare_prediction`. Returns
        None if the registry would have to be read from disk, which would block the loop.
        """
        submission = parse_submission(body, self._settings.max_rows)
        # A model that is not cached is left to Flask, which reads the disk in a thread.
        if not self._registry.knows(submission.model):
            return None
        prediction = prepare_prediction(submission, self._registry, self._settings, caller, sticky)
        return prediction, identified(key, partial(encode, submission))

    @staticmethod
    def asked(
        record: Record,
        preference: Preference,
        *,
        is_submission: bool = False,
        debug: bool = False,
        arrow: bool = False,
    ) -> AwaitedOutcome:
        """What is to be answered for a record; a submission waits if nothing else is preferred."""
        seconds = preference.seconds(MAX_WAIT_SECONDS if is_submission else 0)
        seconds = 0 if record.is_terminal else seconds
        return AwaitedOutcome(record, preference, seconds, is_submission, debug, arrow)

    def waited_for(self, asked: AwaitedOutcome) -> Response:
        """The answer; where it must wait, the event loop answers, and this response is not sent."""
        # Only `api.waiting.entering` puts the list there. Others that call a view do not wait.
        later = request.environ.get("asgi.scope", {}).get(ASKED)
        if not asked.seconds or later is None:
            self._gateway.queue_estimates.freshen(asked.accepted)
            return self._sending.budgeted(
                self.answer(asked, asked.accepted, waited=not asked.seconds)
            )
        later.append(asked)
        # The request is measured where it ends, on the event loop.
        g.is_answered_later = True
        return Response(status=202)

    def answer(self, asked: AwaitedOutcome, record: Record, *, waited: bool) -> Response:
        """The answer with what became of a prediction; ``waited``: whether it could wait."""
        if asked.is_submission and record.is_terminal and record.state != "succeeded":
            problem = outcomes.problem(record, debug=asked.debug)
            response = problem_response(problem, {"Location": Urls.of(record.task_id).result})
        elif asked.form:
            response = asked.form(record)
        else:
            response = self._record(
                record, at_submission=asked.is_submission, debug=asked.debug, arrow=asked.arrow
            )
        return _with_preference(response, asked.preference, waited=waited)

    def _plain(
        self, record: Record, preference: Preference, *, at_submission: bool = False
    ) -> JsonAnswer:
        """The answer on the event loop, which did not wait, so a look-up had no need to."""
        headers = _headers(record, at_submission=at_submission)
        if applied := preference.applied(waited=not at_submission):
            headers[PREFERENCE_APPLIED] = applied
        status = 200 if record.is_terminal else 202
        return JsonAnswer(status, headers, msgspec.json.encode(self.view(record)))

    def _record(
        self,
        record: Record,
        *,
        at_submission: bool = False,
        debug: bool = False,
        arrow: bool = False,
    ) -> Response:
        headers = _headers(record, at_submission=at_submission)
        if arrow and record.receipt is not None:
            return arrow_response(record, self._registry, self._settings.result_ttl, headers)
        return json_response(self.view(record, debug), 200 if record.is_terminal else 202, headers)

    @staticmethod
    def _wants_arrow() -> bool:
        return request.accept_mimetypes.best_match((JSON_TYPE, ARROW)) == ARROW

    def view(self, record: Record, debug: bool = False) -> Pending:
        """The body of the answer to a look-up."""
        result_ttl = self._settings.result_ttl
        if record.receipt is None and record.error is None:
            return outcomes.pending_body(
                record, result_ttl, self._gateway.queue_estimates.of(record)
            )
        return outcomes.outcome(record, result_ttl, debug=debug)


def _headers(record: Record, *, at_submission: bool) -> dict[str, str]:
    headers = {"Location": Urls.of(record.task_id).result} if at_submission else {}
    # Without it, some clients poll as fast as they can.
    if not record.is_terminal:
        headers["Retry-After"] = "1"
    return headers


def _with_preference(response: Response, preference: Preference, *, waited: bool) -> Response:
    if applied := preference.applied(waited=waited):
        response.headers[PREFERENCE_APPLIED] = applied
    return response


def _preference() -> Preference:
    return prefer.parse_prefer(request.headers.get("Prefer", ""))
