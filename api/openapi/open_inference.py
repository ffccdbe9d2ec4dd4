"""The paths of the Open Inference Protocol in the OpenAPI document."""

from api.http.problems import Problem
from api.models.load_routes import LoadState
from api.open_inference.answers import InferenceAnswer
from api.open_inference.metadata_routes import (
    ModelMetadata,
    ModelReadiness,
    ServerHealth,
    ServerMetadata,
)
from api.open_inference.repository_routes import IndexedVersion, IndexRequest, RepositoryRequest
from api.open_inference.tensors.requests import InferenceRequest
from api.openapi.objects import (
    OUTCOME_STATUSES,
    PROBLEMS,
    Json,
    in_path,
    operation,
    pending_response,
    prefer,
    ref,
    request_body,
    response,
)
from api.openapi.registry import ONE_MODEL

OPEN_INFERENCE = "open inference protocol"
_NAMED = ("404", "422", "503")
_EXAMPLE = {
    "inputs": [
        {"name": "features", "shape": [1, 4], "datatype": "FP64", "data": [5.8, 2.8, 5.1, 2.4]}
    ]
}


class ProtocolProblem(Problem, kw_only=True):
    """The body of an error of the protocol's paths: a problem, and its text once more."""

    error: str


OPEN_INFERENCE_TYPES = (
    *(ServerMetadata, ServerHealth, ModelMetadata, ModelReadiness, InferenceRequest),
    *(InferenceAnswer, IndexRequest, RepositoryRequest, IndexedVersion),
    ProtocolProblem,
)


def open_inference() -> Json:
    """The paths."""
    one, versions = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
    of_version = {"parameters": [*ONE_MODEL["parameters"], in_path("version", "Its number")]}
    return {
        "/v2": {"get": _answering("Name the server", "server", ServerMetadata)},
        "/v2/health/live": {"get": _answering("Is it live?", "live", ServerHealth)},
        "/v2/health/ready": {"get": _answering("Is it ready?", "serverReady", ServerHealth, "503")},
        **_of_model(one, "", ONE_MODEL),
        **_of_model(versions, "Version", of_version),
        "/v2/repository/index": {"post": _index()},
        "/v2/repository/models/{name}/load": ONE_MODEL | {"post": _telling("load")},
        "/v2/repository/models/{name}/unload": ONE_MODEL | {"post": _telling("unload")},
    }


def _of_model(path: str, suffix: str, parameters: Json) -> Json:
    described = _answering("Describe the tensors", f"tensors{suffix}", ModelMetadata, *_NAMED)
    ready = _answering("Can it be asked?", f"modelReady{suffix}", ModelReadiness, *_NAMED)
    return {
        path: parameters | {"get": described},
        f"{path}/ready": parameters | {"get": ready},
        f"{path}/infer": parameters | {"post": _infer(f"infer{suffix}")},
    }


def _infer(name: str) -> Json:
    answer = response(InferenceAnswer, "The outputs; as bytes behind JSON if binary data is asked")
    answer["content"] |= {"application/octet-stream": {}}
    responses = {
        "200": answer,
        "202": pending_response(),
        **protocol_errors("400", "404", "409", "413", "415", "422", "500", "503", "504"),
    }
    return operation(OPEN_INFERENCE, "Predict, tensors in and out", name) | {
        "parameters": [prefer()],
        "requestBody": request_body(InferenceRequest, _EXAMPLE),
        "responses": responses,
    }


def _index() -> Json:
    listed = {"schema": {"type": "array", "items": ref(IndexedVersion)}}
    found = {"description": "All versions", "content": {"application/json": listed}}
    return operation(OPEN_INFERENCE, "List all versions", "repositoryIndex") | {
        "requestBody": request_body(IndexRequest, {"ready": True}) | {"required": False},
        "responses": {"200": found, **protocol_errors("400", "413", "415", "422", "503")},
    }


def _telling(act: str) -> Json:
    refused = ("400", "403", "404", "413", "415", "422", "500", "503", "504")
    told = f"Have all workers {act} a model"
    return _answering(told, f"repository{act.title()}", LoadState, *refused) | {
        "requestBody": request_body(RepositoryRequest, {}) | {"required": False}
    }


def _answering(summary: str, name: str, kind: type, *refusals: str) -> Json:
    responses = {"200": response(kind, summary), **protocol_errors(*refusals)}
    return operation(OPEN_INFERENCE, summary, name) | {"responses": responses}


def protocol_errors(*statuses: str) -> Json:
    """Responses with errors of the protocol for these statuses."""
    described = PROBLEMS | OUTCOME_STATUSES
    return {status: response(ProtocolProblem, described[status]) for status in statuses}
