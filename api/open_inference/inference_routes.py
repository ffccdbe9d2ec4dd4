"""Inference by the Open Inference Protocol: tensors in, predictions through the queue, tensors out.

The views accept predictions; the event loop waits for their outcomes.
"""

from functools import partial
from secrets import token_hex

import redis
from flask import Blueprint, Response, request

from api.http.prefer import MAX_WAIT_SECONDS, parse_prefer
from api.limits.byte_budget import ByteBudget
from api.open_inference.answers import Inference, WantedOutput
from api.open_inference.tensors.reading import TENSOR_TYPES, Tensor, parse_inference
from api.open_inference.tensors.requests import MICROSECONDS, InferenceRequest, RequestedOutput
from api.open_inference.tensors.rows import rows_of
from api.predictions.routes import Predictions
from api.predictions.submission import (
    Submission,
    checked_key,
    payload_hash,
    read_body,
    sticky_key,
)
from api.waiting.waiting_path import INFERENCE_ROUTE, VERSION_INFERENCE_ROUTE
from registry.manifest import Manifest
from registry.methods import check_method
from registry.store import Registry
from tasks.messages import Idempotency
from tasks.record import Record
from tasks.settings import Settings
from telemetry.errors import Detail, Invalid, InvalidFeatures, PredictqError

Keys = list[tuple[str, Idempotency | None]]


class InferenceViews:
    """The view, for the model's latest version, an alias, or a version."""

    def __init__(self, predictions: Predictions, registry: Registry, settings: Settings) -> None:
        self._predictions, self._registry, self._settings = predictions, registry, settings
        self._parsing = ByteBudget(settings.max_body_bytes)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("inference", __name__)
        routes.post(INFERENCE_ROUTE)(self.infer)
        routes.post(VERSION_INFERENCE_ROUTE)(self.infer)
        return routes

    def infer(self, name: str, version: str | None = None) -> Response:
        """Accept a prediction for each output, and answer with all of them.

        A request that asks for it is answered at once, with 202 and the id of its prediction.
        """
        model = name if version is None else f"{name}:{version}"
        # Drawn once, so that the version which is asked for its methods is the one that answers.
        key = sticky_key(request) or token_hex()
        manifest = self._registry.resolve(model).chosen(key).manifest
        body = read_body(request, self._settings.max_body_bytes, TENSOR_TYPES)
        with self._parsing.holding(len(body)):
            asked, tensors = parse_inference(request, body, self._settings.max_rows)
            wanted = _wanted(asked, manifest)
            keys = _keys(request.headers.get("Idempotency-Key"), body, wanted)
            accepted = self._accepted(model, key, asked, keys, tensors)
        preference = parse_prefer(request.headers.get("Prefer", ""))
        seconds = preference.seconds(MAX_WAIT_SECONDS)
        if asked.parameters.is_async or not seconds:
            return self._predictions.told_at_once(accepted[0])
        inference = Inference(asked.id, wanted, accepted, preference, seconds)
        return self._predictions.waited_for(inference.awaited())

    def _accepted(
        self,
        model: str,
        key: str,
        asked: InferenceRequest,
        wanted: Keys,
        tensors: list[Tensor],
    ) -> list[Record]:
        """The accepted predictions, all of the version that answers the first.

        ``wanted``: each method with its idempotency key. If one is refused, those before it are
        cancelled, unless they have keys, by which the request that is repeated finds them.
        """
        limit = asked.parameters.timeout / MICROSECONDS or None
        rows = partial(rows_of, tensors=tensors, max_rows=self._settings.max_rows)
        accepted: list[Record] = []
        for method, known in wanted:
            pinned = accepted[0].reference if accepted else model
            cache = asked.parameters.cache
            submission = Submission(pinned, rows, method, limit, sticky=key, cache=cache)
            try:
                accepted.append(self._predictions.accept(submission, known))
            except (PredictqError, redis.RedisError) as error:
                self._predictions.withdraw(accepted if known is None else ())
                raise _of_inputs(error) from error
        return accepted


def _of_inputs(error: Exception) -> Exception:
    """The error, without positions in `features`, which the request does not have."""
    if not isinstance(error, InvalidFeatures):
        return error
    told = [Detail(("inputs",), each.msg, each.row) for each in error.errors]
    return InvalidFeatures(error.message, errors=told)


def _keys(key: str | None, body: bytes, wanted: list[WantedOutput]) -> Keys:
    """Each method that is wanted, with the idempotency key of its prediction."""
    if key is None:
        return [(output.method, None) for output in wanted]
    own, content = checked_key(key), payload_hash(body)
    # No header field can hold the line's end, so that no caller's key is one of these.
    return [(each.method, Idempotency(f"{own}\n{each.method}", content)) for each in wanted]


def _wanted(asked: InferenceRequest, manifest: Manifest) -> list[WantedOutput]:
    """The methods whose answers are wanted, each once."""
    given = asked.outputs or [RequestedOutput(manifest.signature.main)]
    if len({output.name for output in given}) < len(given):
        raise Invalid("an output is requested twice")
    if asked.parameters.is_async and len(given) > 1:
        raise Invalid("a request with `async` has one output: the answer has the id of one")
    for output in given:
        check_method(manifest, output.name)
    return [
        WantedOutput(output.name, output.is_binary(otherwise=asked.parameters.binary_data_output))
        for output in given
    ]
