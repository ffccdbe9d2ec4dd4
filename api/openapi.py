"""The OpenAPI 3.1 document, made from the very types that the views answer with."""

from typing import Any

import msgspec

from api.letters import Deleted, Letters, Replayed, Selection
from api.models import Model, Models
from api.operations import Health, Ready, Stats
from api.pauses import PauseState, Wish
from api.predictions import Outcome, Pending
from api.problems import Problem
from api.submission import Submission
from tasks.ledger.letters import WholeLetter

TYPES = (
    *(Submission, Pending, Outcome, Problem, Models, Model, Health, Ready, Stats),
    *(Letters, WholeLetter, Selection, Replayed, Deleted, Wish, PauseState),
)
PROBLEMS = {
    "400": "Not JSON, or empty",
    "404": "No such model, version, alias or id",
    "409": "There is an outcome that is no failure, or none yet",
    "410": "The outcome is older than its time to live",
    "413": "The body or the number of rows is over the limit",
    "415": "Not application/json",
    "422": "Well-formed but wrong; `errors` says where",
    "503": "The queue is full, the version is paused, or Redis cannot be reached; with an `id`, "
    "it may have been accepted",
}
SUBMISSION_PROBLEMS = ("400", "404", "413", "415", "422", "503")
EXAMPLE = {"model": "iris", "features": [5.1, 3.5, 1.4, 0.2]}

Json = dict[str, Any]


def document() -> bytes:
    """The document, encoded."""
    return msgspec.json.encode(build())


def build() -> Json:
    """The document."""
    _, components = msgspec.json.schema_components(
        TYPES, ref_template="#/components/schemas/{name}"
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
        "tags": [{"name": tag} for tag in ("predictions", "models", "dead letters", "operations")],
        "paths": {**_predictions(), **_models(), **_letters(), **_operations()},
        "components": {"schemas": components},
    }


def _predictions() -> Json:
    body, key = _body(Submission, EXAMPLE), _idempotency_key()
    done, pending = _ok(Outcome, "The outcome"), _pending()
    again = _ok(Outcome, "The outcome that this Idempotency-Key has already")
    return {
        "/predict/async": {
            "post": _operation("predictions", "Submit a prediction", "submit")
            | {"requestBody": body, "parameters": [key]}
            | {"responses": {"200": again, "202": pending, **_problems(*SUBMISSION_PROBLEMS)}}
        },
        "/predict": {
            "post": _operation("predictions", "Submit a prediction and wait", "submitAndWait")
            | {"requestBody": body, "parameters": [key, _prefer()]}
            | {"responses": {"200": done, "202": pending, **_problems(*SUBMISSION_PROBLEMS)}}
        },
        "/predict/result/{id}": {
            "parameters": [_path("id", "As given at submission")],
            "get": _operation("predictions", "Look up an outcome", "lookUp")
            | {"parameters": [_prefer()]}
            | {"responses": {"200": done, "202": pending, **_problems("404", "410", "503")}},
            "delete": _operation("predictions", "Cancel a prediction", "cancel")
            | {"responses": {"200": done, **_problems("404", "410", "503")}},
        },
    }


def _models() -> Json:
    return {
        "/models": {"get": _get("models", "List the models", "listModels", Models)},
        "/models/{name}": {
            "parameters": [_path("name", "Of the model")],
            "get": _get(
                "models", "Show a model and its versions", "showModel", Model, "404", "422"
            ),
        },
        "/models/{name}/versions/{version}/pause": _pause(
            "Refuse submissions to a version", "pause", _body(Wish, {"reason": "a bad deploy"})
        ),
        "/models/{name}/versions/{version}/resume": _pause("End a pause", "resume", None),
    }


def _pause(summary: str, name: str, body: Json | None) -> Json:
    problems = _problems("400", "404", "413", "415", "422", "503")
    operation = _operation("models", summary, name) | {
        "responses": {"200": _ok(PauseState, "Whether it is paused now"), **problems}
    }
    if body:
        operation["requestBody"] = body | {"required": False}
    return {
        "parameters": [_path("name", "Of the model"), _path("version", "Its number")],
        "post": operation,
    }


def _letters() -> Json:
    one = {"parameters": [_path("id", "Of the dead letter")]}
    which = [_query(name, {"type": "string"}) for name in ("model", "code", "queue")]
    limit = _query("limit", {"type": "integer", "minimum": 1, "maximum": 1000})
    everything = _query("all", {"type": "boolean"})
    body = _body(Selection, {"code": "worker_lost"}) | {"required": False}
    some = ("400", "413", "415", "422", "503")
    return {
        "/dead-letters": {
            "get": _dead("List dead letters", "listDeadLetters", "200", Letters, "422", "503")
            | {"parameters": [*which, limit]},
            "delete": _dead("Delete some", "deleteDeadLetters", "200", Deleted, "422", "503")
            | {"parameters": [*which, everything]},
        },
        "/dead-letters/replay": {
            "post": _dead("Replay some", "replayDeadLetters", "200", Replayed, *some)
            | {"requestBody": body},
        },
        "/dead-letters/{id}": one
        | {
            "get": _dead("Show one", "showDeadLetter", "200", WholeLetter, "404", "503"),
            "delete": _dead("Delete one", "deleteDeadLetter", "200", Deleted, "404", "503"),
        },
        "/dead-letters/{id}/replay": one
        | {"post": _dead("Replay one", "replayDeadLetter", "202", Replayed, "404", "409", "503")},
    }


def _dead(summary: str, name: str, status: str, kind: type, *problems: str) -> Json:
    responses = {status: _ok(kind, summary), **_problems(*problems)}
    return _operation("dead letters", summary, name) | {"responses": responses}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _operations() -> Json:
    text = {"description": "Prometheus text", "content": {"text/plain": {}}}
    not_ready = {"503": _ok(Ready, "Redis does not answer, or no worker lives")}
    ready = _get("operations", "Can a prediction be computed now?", "ready", Ready)
    ready["responses"] |= not_ready
    return {
        "/health": {"get": _get("operations", "Does this process answer?", "health", Health)},
        "/ready": {"get": ready},
        "/metrics": {
            "get": _operation("operations", "Metrics", "metrics") | {"responses": {"200": text}}
        },
        "/stats": {"get": _get("operations", "Counts and latencies", "stats", Stats, "503")},
    }


def _get(tag: str, summary: str, name: str, answer: type, *problems: str) -> Json:
    responses = {"200": _ok(answer, summary), **_problems(*problems)}
    return _operation(tag, summary, name) | {"responses": responses}


def _operation(tag: str, summary: str, name: str) -> Json:
    return {"tags": [tag], "summary": summary, "operationId": name}


def _body(kind: type, example: Json) -> Json:
    media = {"schema": _ref(kind), "examples": {"one row": {"value": example}}}
    return {"required": True, "content": {"application/json": media}}


def _ok(kind: type, description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": _ref(kind)}}}


def _pending() -> Json:
    retry = {"description": "Seconds", "schema": {"type": "integer"}}
    return _ok(Pending, "No outcome yet") | {"headers": {"Retry-After": retry}}


def _problems(*statuses: str) -> Json:
    content = {"application/problem+json": {"schema": _ref(Problem)}}
    return {s: {"description": PROBLEMS[s], "content": content} for s in statuses}


def _path(name: str, description: str) -> Json:
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _prefer() -> Json:
    return {
        "name": "Prefer",
        "in": "header",
        "description": "`wait=N` holds the answer up to N seconds (RFC 7240)",
        "schema": {"type": "string"},
        "example": "wait=10",
    }


def _idempotency_key() -> Json:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and payload give the same prediction, for a day",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def _ref(kind: type) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
