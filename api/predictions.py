"""Predictions over HTTP: submit, wait, look up, cancel."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from flask import Blueprint, Response, request

from api import preferences
from api.answers import answer
from api.places import Places
from api.preferences import LONGEST, Preference
from api.submission import fallback, idempotency, parse, prepare, read
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.messages import Prediction
from tasks.outlook import WaitingFor
from tasks.record import ErrorBody, Receipt, Record, State
from tasks.settings import Settings
from telemetry.errors import VersionPaused


class Urls(msgspec.Struct, frozen=True):
    """Where to go from here, as paths; clients follow these and build none."""

    result: str
    cancel: str


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A prediction that has no outcome yet."""

    id: str
    task_id: str
    """The Celery task id, the one that Flower shows."""
    status: State
    model: str
    version: int
    created_at: str
    expires_at: str
    """From here on the id may be answered with 410."""
    urls: Urls
    queue_position: int | msgspec.UnsetType = msgspec.UNSET
    """While it is queued: 1 is the next to be taken, 0 is taken and about to begin."""
    eta_seconds: float | msgspec.UnsetType = msgspec.UNSET
    """Until its outcome, by the pace of the workers; left out while that is not known."""
    waiting_for: WaitingFor | msgspec.UnsetType = msgspec.UNSET
    """While it is queued."""


class Outcome(Pending, frozen=True, kw_only=True, omit_defaults=True):
    """A prediction's terminal answer."""

    predictions: list[Any] | msgspec.UnsetType = msgspec.UNSET
    """One per row, in order, when it succeeded."""
    receipt: Receipt | msgspec.UnsetType = msgspec.UNSET
    error: ErrorBody | msgspec.UnsetType = msgspec.UNSET


class Predictions:
    """The views; a waiting request holds one of a bounded number of places."""

    def __init__(self, gateway: Gateway, registry: Registry, settings: Settings) -> None:
        self._gateway = gateway
        self._registry = registry
        self._settings = settings
        # Half of the threads may wait; the rest keep answering.
        self._waiting = Places(settings.threads // 2)

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
        """Accept a prediction and wait for its outcome, as long as the caller prefers."""
        record, waited = self._wait(self._accept(), otherwise=LONGEST)
        return self._answer(record, waited=waited, at_submission=True)

    def look_up(self, task_id: str) -> Response:
        """The outcome, or 202 until there is one."""
        record, waited = self._wait(self._gateway.look_up(task_id), otherwise=0)
        return self._answer(record, waited=waited)

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
        submission = read(request, self._settings)
        prediction = prepare(submission, self._registry, self._settings)
        key = idempotency(request, submission)
        try:
            return self._gateway.submit(prediction, key)
        except VersionPaused:
            instead = fallback(submission, prediction, self._registry, self._settings)
            if instead is None:
                raise
        return self._gateway.submit(instead, key)

    def prepare(self, body: bytes) -> Prediction:
        """Check a submission; raises `PredictqError` where anything is wrong with it."""
        return prepare(parse(body), self._registry, self._settings)

    def _wait(self, record: Record, otherwise: int) -> tuple[Record, bool]:
        """The record as it is then, and whether it was waited for as long as preferred."""
        seconds = _preference().seconds(otherwise)
        if record.is_terminal or not seconds:
            return record, True
        return self._waiting.wait(partial(self._gateway.wait, record.task_id, seconds), record)

    def _answer(self, record: Record, *, waited: bool, at_submission: bool = False) -> Response:
        self._gateway.outlooks.freshen(record)
        response = self._plain_answer(record, at_submission=at_submission)
        if applied := _preference().applied(waited=waited):
            response.headers["Preference-Applied"] = applied
        return response

    def _plain_answer(self, record: Record, *, at_submission: bool = False) -> Response:
        headers = {"Location": _url(record)} if at_submission else {}
        if not record.is_terminal:
            headers["Retry-After"] = "1"
        return answer(self._view(record), 200 if record.is_terminal else 202, headers)

    def _view(self, record: Record) -> Pending:
        url = _url(record)
        shared: dict[str, Any] = {
            "id": record.task_id,
            "task_id": record.task_id,
            "status": record.state,
            "model": record.model,
            "version": record.version,
            "created_at": _rfc3339(record.created_at),
            "expires_at": _rfc3339(record.created_at + self._settings.result_ttl),
            "urls": Urls(result=url, cancel=url),
        }
        if record.receipt is not None:
            return Outcome(**shared, predictions=record.result, receipt=record.receipt)
        if record.error is not None:
            return Outcome(**shared, error=record.error)
        return Pending(**shared, **msgspec.structs.asdict(self._gateway.outlooks.of(record)))


def _preference() -> Preference:
    return preferences.parse(request.headers.get("Prefer", ""))


def _url(record: Record) -> str:
    # A path, as callers see us under names that we do not know.
    return f"/predict/result/{record.task_id}"


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
