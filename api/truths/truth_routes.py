"""The routes by which callers tell what came true, and see how good a version is."""

from typing import Annotated, Any

import msgspec
import redis
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.callers.seeing import seen
from api.http.operator_bodies import read_body, read_query
from api.http.responses import json_response
from api.models.changing import version_number
from registry.names import checked_name
from registry.store import Registry
from tasks.gateway import Gateway
from tasks.record import Record
from tasks.settings import Settings
from tasks.truths.scoring import score
from tasks.truths.truths import DAYS, Quality, Truths
from telemetry.errors import OutcomeConflict, PredictqError

MAX_TOLD = 1000
"""Most predictions of one request."""


class TruthRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /predict/result/<id>/label`."""

    label: Any
    """The true labels: a value for each row, null where it is unknown; for a single row, its
    value."""


class TruthsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /predict/labels`."""

    labels: Annotated[dict[str, Any], msgspec.Meta(min_length=1, max_length=MAX_TOLD)]
    """By the id of a prediction, what came true."""


class TruthState(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one truth."""

    id: str
    counted: bool
    """Whether it was counted now; false if the truth of this prediction was told before."""
    code: str = ""
    """Why it cannot be counted; empty if it can."""
    detail: str = ""


class TruthStates(msgspec.Struct, frozen=True, kw_only=True):
    """The result for each truth, in order."""

    labels: list[TruthState]


class QualityQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query of `GET /models/<name>/versions/<version>/quality`."""

    days: Annotated[int, msgspec.Meta(ge=1, le=DAYS)] = 30


class VersionQuality(msgspec.Struct, frozen=True, kw_only=True):
    """How good a version is, by what came true."""

    model: str
    version: int
    days: list[Quality]
    """Each of the last days on which truths were told, oldest first."""
    total: Quality
    """These days together."""


class TruthViews:
    """The views."""

    def __init__(
        self, gateway: Gateway, registry: Registry, client: redis.Redis, settings: Settings
    ) -> None:
        self._gateway, self._registry = gateway, registry
        self._truths = Truths(client, settings.result_ttl)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("truths", __name__)
        routes.post("/predict/result/<task_id>/label")(self.tell)
        routes.post("/predict/labels")(self.tell_many)
        routes.get("/models/<name>/versions/<version>/quality")(self.quality)
        return routes

    def tell(self, task_id: str) -> Response:
        """Tell what came true of one prediction."""
        truth = read_body(request, TruthRequest).label
        return json_response(TruthState(id=task_id, counted=self._told(task_id, truth)))

    def tell_many(self) -> Response:
        """Tell what came true of many, each by itself."""
        given = read_body(request, TruthsRequest).labels
        return json_response(TruthStates(labels=[self._state(*each) for each in given.items()]))

    def quality(self, name: str, version: str) -> Response:
        """Show how good a version is, day by day."""
        query, number = read_query(request, QualityQuery), version_number(version)
        manifest = self._registry.resolve(f"{checked_name(name)}:{number}").manifest
        *days, total = self._truths.quality(manifest.reference, query.days)
        return json_response(VersionQuality(model=name, version=number, days=days, total=total))

    def _state(self, task_id: str, truth: Any) -> TruthState:
        try:
            return TruthState(id=task_id, counted=self._told(task_id, truth))
        except PredictqError as error:
            return TruthState(id=task_id, counted=False, code=error.code, detail=error.message)

    def _told(self, task_id: str, truth: Any) -> bool:
        record = seen(current_caller(request), self._gateway.look_up(task_id))
        if record.state != "succeeded":
            raise OutcomeConflict(
                f"the prediction is {record.state}: only one that succeeded can have a truth"
            )
        return self._truths.tell(
            record, score(record.method, record.result, truth, self._classes(record))
        )

    def _classes(self, record: Record) -> tuple[Any, ...] | None:
        return self._registry.resolve(record.reference).manifest.signature.classes
