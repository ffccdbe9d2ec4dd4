"""The batch job paths of the OpenAPI document."""

from api.batches.output_routes import COMPRESSED_TYPES, CONTENT_TYPES
from api.batches.request import BatchJobRequest, UploadRequest
from api.batches.routes import JobPage, Removal
from api.batches.schemas import ROUTE, BatchJob, BatchJobs
from api.batches.upload import FILE_PART
from api.openapi.objects import (
    Json,
    caller_id,
    idempotency_key,
    in_path,
    operation,
    operation_answering,
    prefer,
    problems,
    query_of,
    ref,
    response,
)

BATCHES = "batch jobs"
BATCH_TYPES = (BatchJobRequest, UploadRequest, BatchJob, BatchJobs)
OF_JOB_REQUESTS = ("400", "404", "409", "413", "415", "422", "503", "507")
OF_JOBS = ("403", "404", "410", "503")
ACTION_STATUSES = (*OF_JOBS, "409", "422")
JOB_EXAMPLE = {
    "model": "iris",
    "input_uri": "/data/rows.parquet",
    "output_uri": "/data/out.parquet",
}


def with_file(components: Json) -> Json:
    """Add the file to the schema of the upload's fields, where msgspec does not know it."""
    fields = components[UploadRequest.__name__]
    fields["properties"][FILE_PART] = {"type": "string", "format": "binary"}
    fields["required"].append(FILE_PART)
    return components


def batches() -> Json:
    """The paths of batch jobs."""
    one = {"parameters": [in_path("id", "Id of the batch job")]}
    job = f"{ROUTE}/{{id}}"
    return {
        ROUTE: {"post": _submit(), "get": _index()},
        f"{ROUTE}/validate": {"post": _validate()},
        job: one
        | {
            "get": operation_answering(
                BATCHES, "Look up a batch job", "showBatch", BatchJob, *OF_JOBS
            ),
            "delete": _remove(),
        },
        f"{job}/resume": one | {"post": _resume()},
        f"{job}/output": one | {"get": _output()},
        f"{job}/errors": one | {"get": _errors()},
        f"{job}/events": one | {"get": _events()},
    }


def _submit() -> Json:
    accepted = {"202": response(BatchJob, "Accepted"), **problems(*OF_JOB_REQUESTS)}
    post = operation(BATCHES, "Score a file", "submitBatch")
    described = {"parameters": [idempotency_key(), caller_id()], "requestBody": _job_request()}
    return post | described | {"responses": accepted}


def _validate() -> Json:
    answers = {
        "200": response(BatchJob, "Validation ended; the job has `report`, or `error`"),
        "202": response(BatchJob, "Validation takes longer; look the job up"),
    }
    post = operation(BATCHES, "Validate a file without scoring it", "validateBatch")
    described = {"parameters": [prefer()], "requestBody": _job_request()}
    return post | described | {"responses": answers | problems(*OF_JOB_REQUESTS)}


def _index() -> Json:
    found = operation_answering(BATCHES, "List batch jobs", "listBatches", BatchJobs, "422", "503")
    return found | {"parameters": query_of(JobPage)}


def _remove() -> Json:
    removed = operation_answering(
        BATCHES,
        "Cancel a batch job, or delete one that has ended",
        "cancelBatch",
        BatchJob,
        *ACTION_STATUSES,
    )
    removed["responses"]["204"] = {"description": "Deleted, with `forget=true`"}
    return removed | {"parameters": query_of(Removal)}


def _resume() -> Json:
    return operation_answering(
        BATCHES, "Resume a batch job", "resumeBatch", BatchJob, *OF_JOBS, "409", status="202"
    )


def _output() -> Json:
    types = *CONTENT_TYPES.values(), *COMPRESSED_TYPES.values()
    answers = {
        "200": _bytes("The whole output", *types),
        "206": _bytes("A byte range of the output", *types),
        **problems(*OF_JOBS, "409", "412", "416"),
    }
    return operation(BATCHES, "Fetch the output", "fetchOutput") | {"responses": answers}


def _errors() -> Json:
    lines = CONTENT_TYPES["ndjson"]
    answers = {
        "200": _bytes("A line of NDJSON for each row that has failed so far", lines),
        "206": _bytes("A byte range of the errors", lines),
        **problems(*OF_JOBS, "412", "416"),
    }
    return operation(BATCHES, "Fetch the errors", "fetchErrors") | {"responses": answers}


def _events() -> Json:
    news = _bytes(
        "Events `progress`, each with the job; the last one has a terminal status",
        "text/event-stream",
    )
    answers = {"200": news, **problems(*OF_JOBS)}
    return operation(BATCHES, "Follow a batch job", "followBatch") | {"responses": answers}


def _job_request() -> Json:
    by_reference = {"schema": ref(BatchJobRequest), "examples": {"a file": {"value": JOB_EXAMPLE}}}
    content = {
        "application/json": by_reference,
        "multipart/form-data": {"schema": ref(UploadRequest)},
    }
    return {"required": True, "content": content}


def _bytes(description: str, *types: str) -> Json:
    return {"description": description, "content": {type_: {} for type_ in types}}
