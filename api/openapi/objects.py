"""Builds the parts of the OpenAPI document: operations, bodies, responses, parameters."""

from typing import Any

import msgspec

from api.http.problems import Problem
from api.predictions.outcomes import Pending
from api.predictions.submission import CALLER_ID

PROBLEMS = {
    "400": "The body is empty, or not valid JSON",
    "401": "There is no key, or it is wrong, has expired or was revoked",
    "403": "The caller does not have the scope that this request needs",
    "404": "No such model, version, alias or id",
    "409": "The state does not allow this: an outcome that is not a failure, a job's status, or an "
    "alias that means another version than expected",
    "410": "The outcome has expired, or a job's output no longer exists",
    "412": "The file does not match `If-Match`",
    "413": "The body or the number of rows is over the limit",
    "415": "The content type is not supported",
    "416": "The range is outside of the file",
    "422": "Well-formed but wrong; `errors` says where",
    "429": "The key has asked for as much as it may; `Retry-After` says when it may again",
    "431": "The path with its query, or a header field, is too long",
    "500": "The model cannot be loaded, or an unexpected error",
    "503": "The queue is full, the version is paused, the deployment is stopped, or Redis cannot "
    "be reached. With an `id`, the request may have been accepted",
    "507": "The disk is full",
}
OUTCOME_STATUSES = {
    "409": "The prediction was cancelled",
    "422": "Well-formed but wrong; `errors` says where. With an `id`: the model refused the rows",
    "500": PROBLEMS["500"],
    "503": PROBLEMS["503"] + ". With `urls`: its worker failed at every attempt",
    "504": "The prediction exceeded `max_queue_seconds` or `timeout_seconds`",
}
"""Statuses of `POST /predict` that may also be an outcome; then the problem has `urls`."""

Json = dict[str, Any]


def in_query(name: str, schema: Json) -> Json:
    """A query parameter."""
    return {"name": name, "in": "query", "schema": schema}


def query_of(kind: type[msgspec.Struct]) -> list[Json]:
    """The query parameters that a route reads into this struct, with its bounds and defaults."""
    _, components = msgspec.json.schema_components((kind,))
    fields = components[kind.__name__]["properties"]
    return [in_query(name, _without_null(schema)) for name, schema in fields.items()]


def _without_null(schema: Json) -> Json:
    """The schema of an optional field where only absence says None, as in a query."""
    given = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return given[0] if len(given) == 1 else schema


def operation(tag: str, summary: str, name: str) -> Json:
    """An operation without its responses."""
    return {"tags": [tag], "summary": summary, "operationId": name}


def operation_answering(
    tag: str, summary: str, name: str, kind: type, *refusals: str, status: str = "200"
) -> Json:
    """An operation that answers with this type, or with one of these problems."""
    responses = {status: response(kind, summary), **problems(*refusals)}
    return operation(tag, summary, name) | {"responses": responses}


def request_body(kind: type, example: Json) -> Json:
    """A JSON body of this type, with an example."""
    media = {"schema": ref(kind), "examples": {"one row": {"value": example}}}
    return {"required": True, "content": {"application/json": media}}


def response(kind: type, description: str) -> Json:
    """A JSON response of this type."""
    return {"description": description, "content": {"application/json": {"schema": ref(kind)}}}


def pending_response() -> Json:
    """The 202 response while there is no outcome."""
    retry = {"description": "Seconds until the next look-up", "schema": {"type": "integer"}}
    return response(Pending, "No outcome yet") | {"headers": {"Retry-After": retry}}


def problems(*statuses: str) -> Json:
    """Problem responses for these statuses, as described in `PROBLEMS`."""
    return _problems({status: PROBLEMS[status] for status in statuses})


def endings() -> Json:
    """Problem responses for what a prediction can end with."""
    return _problems(OUTCOME_STATUSES)


def _problems(described: dict[str, str]) -> Json:
    content = {"application/problem+json": {"schema": ref(Problem)}}
    return {s: {"description": told, "content": content} for s, told in described.items()}


def in_path(name: str, description: str) -> Json:
    """A path parameter."""
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def debug() -> Json:
    """The `debug` parameter, which needs the scope ``operate``."""
    told = "Adds the `traceback` of the model's exception; needs the scope `operate`"
    return in_query("debug", {"type": "boolean", "default": False}) | {"description": told}


def prefer() -> Json:
    """The `Prefer` header, which sets how long a request waits."""
    return {
        "name": "Prefer",
        "in": "header",
        "description": "`wait=N` holds the answer up to N seconds (RFC 7240)",
        "schema": {"type": "string"},
        "example": "wait=10",
    }


def idempotency_key() -> Json:
    """The `Idempotency-Key` header, which makes a submission safe to repeat."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "For a day, the same key and payload return the same prediction or job",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def caller_id() -> Json:
    """The `X-Caller-Id` header, by which an alias that is split chooses a version."""
    told = "Of an alias that is split: the same id is answered by the same version"
    schema = {"type": "string"}
    return {"name": CALLER_ID, "in": "header", "description": told, "schema": schema}


def ref(kind: type) -> Json:
    """A reference to the schema of this type."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
