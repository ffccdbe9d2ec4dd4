"""The paths of truths in the OpenAPI document."""

from api.openapi.objects import Json, in_path, operation_answering, query_of, request_body
from api.openapi.registry import ONE_VERSION, REGISTRY, REGISTRY_BODIES
from api.truths.truth_routes import (
    QualityQuery,
    TruthRequest,
    TruthsRequest,
    TruthState,
    TruthStates,
    VersionQuality,
)

TRUTH_TYPES = (TruthRequest, TruthsRequest, TruthState, TruthStates, VersionQuality)
_PREDICTIONS = "predictions"


def truth_paths() -> Json:
    """The paths of truths."""
    return {
        "/predict/result/{id}/label": {"parameters": [in_path("id", "Id of the prediction")]}
        | {"post": _tell()},
        "/predict/labels": {"post": _tell_many()},
        "/models/{name}/versions/{version}/quality": ONE_VERSION | {"get": _quality()},
    }


def _tell() -> Json:
    refused = ("404", "409", "410", "422", "503", *REGISTRY_BODIES)
    told = operation_answering(
        _PREDICTIONS, "Tell what came true of a prediction", "tellTruth", TruthState, *refused
    )
    return told | {"requestBody": request_body(TruthRequest, {"label": 1})}


def _tell_many() -> Json:
    told = operation_answering(
        _PREDICTIONS,
        "Tell what came true of many predictions",
        "tellTruths",
        TruthStates,
        *("422", "503", *REGISTRY_BODIES),
    )
    example = {"labels": {"0190a1b2-0000-7000-8000-000000000000": [1, 0]}}
    return told | {"requestBody": request_body(TruthsRequest, example)}


def _quality() -> Json:
    shown = operation_answering(
        REGISTRY,
        "Show how good a version is",
        "showQuality",
        VersionQuality,
        *("404", "422", "503"),
    )
    return shown | {"parameters": query_of(QualityQuery)}
