"""The paths of rollouts, truths and shadows in the OpenAPI document."""

from api.drift.drift_routes import DriftQuery
from api.drift.states import DriftState
from api.openapi.objects import (
    Json,
    in_path,
    operation,
    operation_answering,
    problems,
    query_of,
    request_body,
    response,
)
from api.openapi.registry import (
    ONE_MODEL,
    ONE_VERSION,
    REGISTRY,
    REGISTRY_BODIES,
    REGISTRY_CHANGES,
    REGISTRY_READS,
)
from api.rollouts.comparison_routes import ComparisonQuery, ComparisonState
from api.rollouts.rollout_routes import RolloutChange, RolloutList, RolloutRequest
from api.shadows.looking import ShadowState
from api.shadows.shadow_routes import Disagreements, ShadowChange, ShadowEnd, ShadowQuery
from api.truths.truth_routes import (
    QualityQuery,
    TruthRequest,
    TruthsRequest,
    TruthState,
    TruthStates,
    VersionQuality,
)
from registry.rollouts.rollout import Rollout

ROLLOUT_TYPES = (RolloutRequest, RolloutChange, RolloutList, Rollout, ComparisonState, DriftState)
_ONE = {"parameters": [*ONE_MODEL["parameters"], in_path("id", "Number of the rollout")]}


def rollout_paths() -> Json:
    """The paths of rollouts."""
    one = "/models/{name}/rollouts/{id}"
    shown = operation_answering(REGISTRY, "Show a rollout", "showRollout", Rollout, *REGISTRY_READS)
    return {
        "/models/{name}/comparison": ONE_MODEL | {"get": _compare()},
        "/models/{name}/drift": ONE_MODEL | {"get": _drift()},
        "/models/{name}/rollouts": ONE_MODEL | {"get": _list(), "post": _start()},
        one: _ONE | {"get": shown},
        f"{one}/pause": _ONE | {"post": _change("Begin no further step", "pauseRollout")},
        f"{one}/resume": _ONE | {"post": _change("Continue a rollout", "resumeRollout")},
        f"{one}/abort": _ONE | {"post": _change("Undo a rollout", "abortRollout")},
    }


def _compare() -> Json:
    told = "Compare the versions of a split alias"
    return operation_answering(
        REGISTRY, told, "compareVersions", ComparisonState, *REGISTRY_READS, "503"
    ) | {"parameters": query_of(ComparisonQuery)}


def _drift() -> Json:
    told = "Show how far rows and answers of a version are from its sample"
    return operation_answering(REGISTRY, told, "showDrift", DriftState, *REGISTRY_READS, "503") | {
        "parameters": query_of(DriftQuery)
    }


def _list() -> Json:
    return operation_answering(
        REGISTRY, "List the rollouts of a model", "listRollouts", RolloutList, *REGISTRY_READS
    )


def _start() -> Json:
    body = request_body(RolloutRequest, {"version": 4, "steps": [10, 50, 100]})
    refused = problems(*REGISTRY_CHANGES, *REGISTRY_BODIES)
    return operation(REGISTRY, "Roll a version out", "startRollout") | {
        "requestBody": body,
        "responses": {"201": response(Rollout, "The rollout"), **refused},
    }


def _change(summary: str, name: str) -> Json:
    body = request_body(RolloutChange, {"why": "the night shift"}) | {"required": False}
    told = operation_answering(
        REGISTRY, summary, name, Rollout, *REGISTRY_CHANGES, *REGISTRY_BODIES
    )
    return told | {"requestBody": body}


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


SHADOW_TYPES = (ShadowState, ShadowChange, Disagreements)


def shadow_paths() -> Json:
    """The paths of shadows."""
    return {
        "/models/{name}/shadow": ONE_MODEL
        | {"get": _show_shadow(), "put": _set_shadow(), "delete": _stop_shadow()},
        "/models/{name}/shadow/examples": ONE_MODEL | {"get": _shadow_examples()},
    }


def _show_shadow() -> Json:
    told = "Show a shadow, and how its answers agree"
    return operation_answering(
        REGISTRY, told, "showShadow", ShadowState, *REGISTRY_READS, "503"
    ) | {"parameters": query_of(ShadowQuery)}


def _set_shadow() -> Json:
    told = "Copy a share of an alias's predictions to a version"
    body = request_body(ShadowChange, {"version": 4, "rate": 10})
    refused = (*REGISTRY_CHANGES, *REGISTRY_BODIES)
    return operation_answering(REGISTRY, told, "setShadow", ShadowState, *refused) | {
        "requestBody": body
    }


def _stop_shadow() -> Json:
    return operation_answering(
        REGISTRY, "Stop a shadow", "stopShadow", ShadowState, *REGISTRY_CHANGES
    ) | {"parameters": query_of(ShadowEnd)}


def _shadow_examples() -> Json:
    told = "Show rows for which a shadow's answers differ"
    return operation_answering(
        REGISTRY, told, "shadowExamples", Disagreements, *REGISTRY_READS, "503"
    ) | {"parameters": query_of(ShadowQuery)}
