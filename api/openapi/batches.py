"""What the OpenAPI document says of batch jobs."""

from typing import get_args

from api.batches.output_routes import CONTENT_TYPES, PACKED
from api.batches.request import BatchJobRequest, UploadOrder
from api.batches.schemas import ROUTE, BatchJob, BatchJobs
from api.batches.upload import FILE_PART
from api.openapi.objects import (
    Json,
    answering,
    idempotency_key,
    in_path,
    in_query,
    operation,
    prefer,
    problems,
    ref,
    response,
)
from tasks.jobs.job import Status

BATCHES = "batch jobs"
BATCH_TYPES = (BatchJobRequest, UploadOrder, BatchJob, BatchJobs)
OF_ORDERS = ("400", "404", "409", "413", "415", "422", "503", "507")
OF_JOBS = ("403", "404", "410", "503")
ENDING_STATUSES = (*OF_JOBS, "409", "422")
JOB_EXAMPLE = {
    "model": "iris",
    "input_uri": "/data/rows.parquet",
    "output_uri": "/data/out.parquet",
}


def with_file(components: Json) -> Json:
    """The schemas; that of the upload's fields has the file, too."""
    fields = components[UploadOrder.__name__]
    fields["properties"][FILE_PART] = {"type": "string", "format": "binary"}
    fields["required"].append(FILE_PART)
    return components


def batches() -> Json:
    """The paths."""
    one = {"parameters": [in_path("id", "Of the batch job")]}
    job = f"{ROUTE}/{{id}}"
    return {
        ROUTE: {"post": _submit(), "get": _index()},
        f"{ROUTE}/validate": {"post": _validate()},
        job: one
        | {
            "get": answering(BATCHES, "Look up a batch job", "showBatch", BatchJob, *OF_JOBS),
            "delete": _remove(),
        },
        f"{job}/resume": one | {"post": _resume()},
        f"{job}/output": one | {"get": _output()},
        f"{job}/errors": one | {"get": _errors()},
        f"{job}/events": one | {"get": _events()},
    }


def _submit() -> Json:
    accepted = {"202": response(BatchJob, "Accepted"), **problems(*OF_ORDERS)}
    post = operation(BATCHES, "Score a file", "submitBatch")
    described = {"parameters": [idempotency_key()], "requestBody": _order()}
    return post | described | {"responses": accepted}


def _validate() -> Json:
    answers = {
        "200": response(BatchJob, "What was found: `report`, or `error`"),
        "202": response(BatchJob, "It takes longer; look it up"),
    }
    post = operation(BATCHES, "Look over a file, and queue nothing", "validateBatch")
    described = {"parameters": [prefer()], "requestBody": _order()}
    return post | described | {"responses": answers | problems(*OF_ORDERS)}


def _index() -> Json:
    found = answering(BATCHES, "List batch jobs", "listBatches", BatchJobs, "422", "503")
    limit = in_query("limit", {"type": "integer", "minimum": 1, "maximum": 100})
    after = in_query("after", {"type": "string"})
    status = in_query("status", {"type": "string", "enum": [*get_args(Status)]})
    return found | {"parameters": [limit, after, status]}


def _remove() -> Json:
    removed = answering(
        BATCHES,
        "Cancel one, or forget one that has ended",
        "cancelBatch",
        BatchJob,
        *ENDING_STATUSES,
    )
    removed["responses"]["204"] = {"description": "It is forgotten"}
    return removed | {"parameters": [in_query("forget", {"type": "boolean"})]}


def _resume() -> Json:
    return answering(
        BATCHES, "Go on with one", "resumeBatch", BatchJob, *OF_JOBS, "409", status="202"
    )


def _output() -> Json:
    types = *CONTENT_TYPES.values(), *PACKED.values()
    answers = {
        "200": _bytes("The whole output", *types),
        "206": _bytes("A range of it", *types),
        **problems(*OF_JOBS, "409", "412", "416"),
    }
    return operation(BATCHES, "Fetch the output", "fetchOutput") | {"responses": answers}


def _errors() -> Json:
    lines = CONTENT_TYPES["ndjson"]
    answers = {
        "200": _bytes("A line for each row that failed so far", lines),
        "206": _bytes("A range of them", lines),
        **problems(*OF_JOBS, "412", "416"),
    }
    return operation(BATCHES, "Fetch the errors", "fetchErrors") | {"responses": answers}


def _events() -> Json:
    news = _bytes("Events `progress`, with the job; the last has its end", "text/event-stream")
    answers = {"200": news, **problems(*OF_JOBS)}
    return operation(BATCHES, "Follow a batch job", "followBatch") | {"responses": answers}


def _order() -> Json:
    by_reference = {"schema": ref(BatchJobRequest), "examples": {"a file": {"value": JOB_EXAMPLE}}}
    content = {
        "application/json": by_reference,
        "multipart/form-data": {"schema": ref(UploadOrder)},
    }
    return {"required": True, "content": content}


def _bytes(description: str, *types: str) -> Json:
    return {"description": description, "content": {type_: {} for type_ in types}}
