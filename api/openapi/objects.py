"""The objects that the OpenAPI document is made of: operations, bodies, responses, parameters."""

from typing import Any

from api.http.problems import Problem
from api.predictions.outcomes import Pending

PROBLEMS = {
    "400": "Not JSON, or empty",
    "403": "`debug=true` without the local key",
    "404": "No such model, version, alias or id",
    "409": "There is an outcome that is no failure, or none yet; a job is in no state for this",
    "410": "The outcome is older than its time to live; a job's output is not there any more",
    "412": "The file is not the one that `If-Match` names",
    "413": "The body or the number of rows is over the limit",
    "415": "Not application/json",
    "416": "There is no such range",
    "422": "Well-formed but wrong; `errors` says where",
    "503": "The queue is full, the version is paused, or Redis cannot be reached; with an `id`, "
    "it may have been accepted",
    "507": "There is no room on the disk",
}
OUTCOME_STATUSES = {
    "409": "It was cancelled",
    "422": "Well-formed but wrong; `errors` says where. With an `id`: the model refused the rows",
    "500": "The model cannot be loaded, or an error that nobody foresaw",
    "503": PROBLEMS["503"] + "; with `urls`, what computes it failed each time",
    "504": "It waited for longer than it may, or computing it took longer than it may",
}
"""Problems of a prediction that was waited for; where it ended with them, they have `urls`."""

Json = dict[str, Any]


def in_query(name: str, schema: Json) -> Json:
    """A parameter that may be given in the query."""
    return {"name": name, "in": "query", "schema": schema}


def operation(tag: str, summary: str, name: str) -> Json:
    """An operation without its responses."""
    return {"tags": [tag], "summary": summary, "operationId": name}


def answering(
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
    """A JSON answer of this type."""
    return {"description": description, "content": {"application/json": {"schema": ref(kind)}}}


def pending() -> Json:
    """The answer while there is no outcome."""
    retry = {"description": "Seconds", "schema": {"type": "integer"}}
    return response(Pending, "No outcome yet") | {"headers": {"Retry-After": retry}}


def problems(*statuses: str) -> Json:
    """A response for each of these statuses."""
    return _problems({status: PROBLEMS[status] for status in statuses})


def endings() -> Json:
    """The same for what a prediction may end with."""
    return _problems(OUTCOME_STATUSES)


def _problems(described: dict[str, str]) -> Json:
    content = {"application/problem+json": {"schema": ref(Problem)}}
    return {s: {"description": told, "content": content} for s, told in described.items()}


def in_path(name: str, description: str) -> Json:
    """A parameter that is a part of the path."""
    schema = {"type": "string"}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def debug() -> Json:
    """The parameter by which who has the local key is told more."""
    told = "Adds the `traceback` of what the model raised; needs the local key as a bearer token"
    return in_query("debug", {"type": "boolean", "default": False}) | {"description": told}


def prefer() -> Json:
    """The header by which a caller says how long it waits."""
    return {
        "name": "Prefer",
        "in": "header",
        "description": "`wait=N` holds the answer up to N seconds (RFC 7240)",
        "schema": {"type": "string"},
        "example": "wait=10",
    }


def idempotency_key() -> Json:
    """The header that makes a submission safe to repeat."""
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key and payload give the same prediction, for a day",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }


def ref(kind: type) -> Json:
    """Where the schema of this type stands."""
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
