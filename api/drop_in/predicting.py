"""Predictions as hand-written services answer them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.callers.seeing import check_seen
from api.drop_in.asking import Asking, timestamp
from api.http.conversion import converted
from api.http.responses import json_response
from api.limits.byte_budget import ByteBudget
from api.limits.json_limits import refuse_many_containers, refuse_many_values
from api.limits.send_budget import SendBudget
from api.predictions.submission import read_body, sticky_key
from registry.store import Registry
from registry.versions import Resolved
from tasks.settings import Settings
from tasks.wire import decode
from telemetry.errors import Invalid, TooLarge

SUBMISSIONS = "predictions.submit_and_wait"
"""Endpoint of `POST /predict` and of the routes that have the model in their path."""
OLD_FIELD, OLD_FIELD_WITH_NAME = "model_id", "return_probabilities"
"""Fields that only the old services have, without and with the model in the path."""
MAX_BATCHES = 1000
"""Predictions that one request may be cut into."""


class OldPrediction(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /predict` with `model_id`, or of a path with `return_probabilities`."""

    model_id: str
    features: Any
    return_probabilities: bool = False


class OldAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, with the fields of the old services and ours beside them."""

    prediction: list[Any]
    probabilities: list[Any] | None
    latency: float
    """Seconds from the request to its answer."""
    prediction_time_seconds: float
    model_id: str
    model_metadata: dict[str, Any]
    timestamp: str
    id: str
    predictions: list[Any]
    receipt: Any


class OldBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /models/<name>/batch_predict`."""

    batch_features: list[Any]
    batch_size: Annotated[int, msgspec.Meta(ge=1)] = 1000
    """Rows in one prediction."""


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The predictions of all rows, in order."""

    predictions: list[Any]
    total_samples: int
    batch_size: int
    prediction_time_seconds: float
    throughput_samples_per_second: float
    model_metadata: dict[str, Any]


class OldLoad(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a worker has loaded and called."""

    message: str
    status: str
    model_metadata: dict[str, Any]


class PredictingViews:
    """The views, which wait for their predictions."""

    def __init__(
        self, asking: Asking, registry: Registry, settings: Settings, sending: SendBudget
    ) -> None:
        self._asking, self._registry, self._settings = asking, registry, settings
        self._sending, self._parsing = sending, ByteBudget(settings.max_body_bytes)

    def blueprint(self) -> Blueprint:
        """The routes, and what answers `POST /predict` if its body has `model_id`."""
        routes = Blueprint("drop_in", __name__)
        routes.before_app_request(self.predict)
        routes.post("/models/<name>/load")(self.load)
        routes.post("/models/<name>/batch_predict")(self.batch_predict)
        return routes

    def predict(self) -> Response | None:
        """Answer a prediction by `model_id`; None leaves the request to its own route."""
        name = (request.view_args or {}).get("name")
        mark = OLD_FIELD if name is None else OLD_FIELD_WITH_NAME
        too_long = (request.content_length or 0) > self._settings.max_body_bytes
        if request.endpoint != SUBMISSIONS or request.mimetype != "application/json" or too_long:
            return None
        # Kept in the request, from where the route of its own reads it, too.
        if f'"{mark}"'.encode() not in request.get_data():
            return None
        with self._read() as given:
            # Not a column of that name.
            return self._old_style(name, given) if mark in given else None

    def _old_style(self, name: str | None, given: dict[str, Any]) -> Response:
        started = time.perf_counter()
        asked = converted(given if name is None else given | {"model_id": name}, OldPrediction)
        resolved = self._resolved(asked.model_id)
        with self._asking.slot() as deadline:
            answered = self._asking.ask(resolved, asked.features, deadline)
            shown = self._probabilities(resolved, asked, deadline)
        seconds = time.perf_counter() - started
        return self._answer(
            OldAnswer(
                prediction=answered.predictions,
                probabilities=shown,
                latency=seconds,
                prediction_time_seconds=seconds,
                model_id=asked.model_id,
                model_metadata=_metadata(resolved),
                timestamp=timestamp(),
                id=answered.id,
                predictions=answered.predictions,
                receipt=answered.receipt,
            )
        )

    def load(self, name: str) -> Response:
        """Have a worker load a model, by asking for the example row."""
        resolved = self._resolved(name)
        manifest = resolved.manifest
        if manifest.example is not None:
            with self._asking.slot() as deadline:
                method = manifest.signature.main
                self._asking.ask(resolved, [manifest.example], deadline, method)
        told = f"Model {name} loaded"
        return json_response(
            OldLoad(message=told, status="loaded", model_metadata=_metadata(resolved))
        )

    def batch_predict(self, name: str) -> Response:
        """Predict many rows in predictions of ``batch_size`` rows each."""
        started = time.perf_counter()
        with self._read() as given:
            asked = converted(given, OldBatch)
            resolved = self._resolved(name)
            size = min(asked.batch_size, self._settings.max_rows)
            found = self._predictions(resolved, asked.batch_features, size)
            seconds = time.perf_counter() - started
            return self._answer(
                BatchAnswer(
                    predictions=found,
                    total_samples=len(found),
                    batch_size=size,
                    prediction_time_seconds=seconds,
                    throughput_samples_per_second=len(found) / seconds,
                    model_metadata=_metadata(resolved),
                )
            )

    def _resolved(self, model: str) -> Resolved:
        """The version that answers this request."""
        check_seen(current_caller(request), model)
        return self._registry.resolve(self._asking.reference(model)).chosen(sticky_key(request))

    def _predictions(self, version: Resolved, rows: list[Any], size: int) -> list[Any]:
        """The predictions of all rows, by one version, even if an alias moves meanwhile."""
        if len(rows) > size * MAX_BATCHES:
            raise TooLarge(f"a request may have at most {MAX_BATCHES} batches")
        found: list[Any] = []
        with self._asking.slot() as deadline:
            for start in range(0, len(rows), size):
                piece = rows[start : start + size]
                found += self._asking.ask(version, piece, deadline).predictions
        return found

    def _answer(self, answer: msgspec.Struct) -> Response:
        response = json_response(answer)
        if len(response.get_data()) > self._settings.max_outcome_bytes:
            raise TooLarge("the answer is too large: send fewer rows, or a batch job")
        return self._sending.budgeted(response)

    @contextmanager
    def _read(self) -> Iterator[dict[str, Any]]:
        """The object in the body, whose bytes count as long as it is in memory."""
        body = read_body(request, self._settings.max_body_bytes)
        with self._parsing.holding(len(body)):
            refuse_many_containers(body, self._settings.max_rows)
            refuse_many_values(body)
            given = decode(body)
            if not isinstance(given, dict):
                raise Invalid("the body must be a JSON object")
            yield given

    def _probabilities(
        self, resolved: Resolved, asked: OldPrediction, deadline: float
    ) -> list[Any] | None:
        """The probabilities of the rows; None if they are not asked for, or there are none."""
        manifest = resolved.manifest
        if not asked.return_probabilities or "predict_proba" not in manifest.signature.methods:
            return None
        found = self._asking.ask(resolved, asked.features, deadline, "predict_proba")
        return found.predictions


def _metadata(resolved: Resolved) -> dict[str, Any]:
    manifest = resolved.manifest
    return {
        "model_id": manifest.name,
        "version": manifest.version,
        "estimator": manifest.estimator,
        "features": [column.name for column in manifest.signature.columns],
        "created_at": manifest.created_at,
        **manifest.metadata,
    }
