"""The OpenAPI 3.1 document, generated from the types that the views answer with."""

import msgspec

from api.bulk.answer import NDJSON
from api.dead_letters.routes import (
    Deleted,
    Deletion,
    Letters,
    LetterSelection,
    Page,
    Replayed,
)
from api.http.problems import Problem
from api.openapi.arrow import ARROW_TOLD, with_arrow
from api.openapi.batches import BATCH_TYPES, BATCHES, batches, with_file
from api.openapi.bulk import BULK_TYPES, ONE_EXAMPLE, results, submission
from api.openapi.deployments import DEPLOYMENT_TYPES, DEPLOYMENTS, deployment_paths
from api.openapi.drop_in import DROP_IN, DROP_IN_TYPES, drop_in
from api.openapi.events import EVENT_TYPES, events
from api.openapi.keys import KEY_TYPES, KEYS, SCHEME, key_paths, secured
from api.openapi.objects import (
    Json,
    caller_id,
    debug,
    endings,
    idempotency_key,
    in_path,
    operation,
    operation_answering,
    pending_response,
    prefer,
    problems,
    query_of,
    request_body,
    response,
)
from api.openapi.open_inference import OPEN_INFERENCE, OPEN_INFERENCE_TYPES, open_inference
from api.openapi.registry import (
    ONE_MODEL,
    ONE_VERSION,
    REGISTRY,
    REGISTRY_TYPES,
    registry_paths,
    with_model_files,
)
from api.openapi.rollouts import (
    ROLLOUT_TYPES,
    SHADOW_TYPES,
    TRUTH_TYPES,
    rollout_paths,
    shadow_paths,
    truth_paths,
)
from api.operations.routes import Health, Ready, Stats
from api.operations.scale_routes import ScaleQuery
from api.predictions.outcomes import Outcome, Pending
from api.predictions.submission import Submission
from tasks.ledger.dead_letters.letters import WholeLetter
from tasks.scaling.replicas import Scale

SCHEMAS = (
    *(Submission, Pending, Outcome, Problem, Health, Ready, Stats, Scale),
    *BULK_TYPES,
    *BATCH_TYPES,
    *EVENT_TYPES,
    *REGISTRY_TYPES,
    *DEPLOYMENT_TYPES,
    *ROLLOUT_TYPES,
    *TRUTH_TYPES,
    *SHADOW_TYPES,
    *DROP_IN_TYPES,
    *OPEN_INFERENCE_TYPES,
    *KEY_TYPES,
    *(Letters, WholeLetter, LetterSelection, Replayed, Deleted),
)
OF_BODIES = ("400", "404", "413", "415", "422", "503")
"""Problems of an operation that takes a body and uses Redis."""
OF_LOOK_UPS = ("403", "404", "410", "422", "503")
DEAD = "dead letters"
TAGS = (
    *("predictions", BATCHES, REGISTRY, DEPLOYMENTS, DROP_IN, OPEN_INFERENCE, DEAD, KEYS),
    "operations",
)


def document() -> bytes:
    """The document as JSON."""
    return msgspec.json.encode(build())


def build() -> Json:
    """The document."""
    _, components = msgspec.json.schema_components(
        SCHEMAS, ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "predictq",
            "version": "0.1.0",
            "description": "Asynchronous predictions for scikit-learn models.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in TAGS],
        "paths": secured(
            {
                **_predictions(),
                **batches(),
                **registry_paths(),
                **deployment_paths(),
                **rollout_paths(),
                **truth_paths(),
                **shadow_paths(),
                **drop_in(),
                **open_inference(),
                **_letters(),
                **key_paths(),
                **_operations(),
            }
        ),
        "components": {
            "schemas": with_model_files(with_file(components)),
            "securitySchemes": SCHEME,
        },
    }


def _predictions() -> Json:
    body, key = with_arrow(request_body(Submission, ONE_EXAMPLE)), idempotency_key()
    settled, refused = response(Outcome, "The outcome"), problems(*OF_BODIES)
    answered = with_arrow(settled)
    ended = problems("403") | endings()
    again = response(Outcome, "The existing outcome of this Idempotency-Key")
    return {
        "/predict/async": {
            "post": operation("predictions", "Submit a prediction", "submit")
            | {"parameters": [key, caller_id()], **submission()}
            | {"responses": {"200": again, "202": _accepted(), **refused}}
        },
        "/predict/results": results(),
        "/events": events(),
        "/predict": {
            "post": operation("predictions", "Submit a prediction and wait", "submitAndWait")
            | {"description": ARROW_TOLD, "requestBody": body}
            | {"parameters": [key, caller_id(), prefer(), debug()]}
            | {"responses": {"200": answered, "202": pending_response(), **refused, **ended}}
        },
        **_in_path(),
        "/predict/result/{id}": {
            "parameters": [in_path("id", "Id of the prediction, from its submission")],
            "get": operation("predictions", "Look up an outcome", "lookUp")
            | {"parameters": [prefer(), debug()]}
            | {"responses": {"200": answered, "202": pending_response(), **problems(*OF_LOOK_UPS)}},
            "delete": operation("predictions", "Cancel a prediction", "cancel")
            | {"responses": {"200": settled, **problems("404", "410", "503")}},
        },
    }


def _in_path() -> Json:
    """The paths of submissions that name the model there."""
    answers = {"200": with_arrow(response(Outcome, "The outcome")), "202": pending_response()}
    answers |= problems(*OF_BODIES, "403") | endings()
    schema = {"type": "object", "required": ["features"], "properties": {"features": {}}}
    body = with_arrow({"required": True, "content": {"application/json": {"schema": schema}}})

    def post(name: str) -> Json:
        summary = "Submit a prediction and wait, with the model in the path"
        given = [idempotency_key(), caller_id(), prefer(), debug()]
        parts = {"requestBody": body, "parameters": given, "description": ARROW_TOLD}
        return operation("predictions", summary, name) | parts | {"responses": answers}

    return {
        "/models/{name}/predict": ONE_MODEL | {"post": post("submitToModel")},
        "/models/{name}/versions/{version}/predict": ONE_VERSION
        | {"post": post("submitToVersion")},
    }


def _accepted() -> Json:
    """The 202 of a prediction, or of many."""
    one = pending_response()
    return one | {"content": one["content"] | {NDJSON: {}}}


def _letters() -> Json:
    one = {"parameters": [in_path("id", "Id of the dead letter")]}
    body = request_body(LetterSelection, {"code": "worker_lost"}) | {"required": False}
    some = ("400", "413", "415", "422", "503")
    return {
        "/dead-letters": {
            "get": operation_answering(
                DEAD, "List dead letters", "listDeadLetters", Letters, "422", "503"
            )
            | {"parameters": query_of(Page)},
            "delete": operation_answering(
                DEAD, "Delete dead letters", "deleteDeadLetters", Deleted, "422", "503"
            )
            | {"parameters": query_of(Deletion)},
        },
        "/dead-letters/replay": {
            "post": operation_answering(
                DEAD, "Replay dead letters", "replayDeadLetters", Replayed, *some
            )
            | {"requestBody": body},
        },
        "/dead-letters/{id}": one
        | {
            "get": operation_answering(
                DEAD, "Show a dead letter", "showDeadLetter", WholeLetter, "404", "503"
            ),
            "delete": operation_answering(
                DEAD, "Delete a dead letter", "deleteDeadLetter", Deleted, "404", "503"
            ),
        },
        "/dead-letters/{id}/replay": one
        | {
            "post": operation_answering(
                DEAD,
                "Replay a dead letter",
                "replayDeadLetter",
                Replayed,
                "404",
                "409",
                "503",
                status="202",
            )
        },
    }


def _operations() -> Json:
    text = {"description": "Metrics in the Prometheus text format", "content": {"text/plain": {}}}
    not_ready = {"503": response(Ready, "Redis does not answer, or no worker is running")}
    ready = operation_answering("operations", "Can a prediction be computed now?", "ready", Ready)
    ready["responses"] |= not_ready
    return {
        "/health": {
            "get": operation_answering("operations", "Does this process answer?", "health", Health)
        },
        "/ready": {"get": ready},
        "/metrics": {
            "get": operation("operations", "Metrics", "metrics") | {"responses": {"200": text}}
        },
        "/stats": {
            "get": operation_answering("operations", "Counts and latencies", "stats", Stats, "503")
        },
        "/scale": {
            "get": operation_answering(
                "operations", "Replicas that a queue needs", "scale", Scale, "422", "503"
            )
            | {"parameters": query_of(ScaleQuery)},
        },
    }
