"""The paths of rollouts in the OpenAPI document."""

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
    REGISTRY,
    REGISTRY_BODIES,
    REGISTRY_CHANGES,
    REGISTRY_READS,
)
from api.rollouts.comparison_routes import ComparisonQuery, ComparisonState
from api.rollouts.rollout_routes import RolloutChange, RolloutList, RolloutRequest
from registry.rollouts.rollout import Rollout

ROLLOUT_TYPES = (RolloutRequest, RolloutChange, RolloutList, Rollout, ComparisonState)
_ONE = {"parameters": [*ONE_MODEL["parameters"], in_path("id", "Number of the rollout")]}


def rollout_paths() -> Json:
    """The paths of rollouts."""
    one = "/models/{name}/rollouts/{id}"
    shown = operation_answering(REGISTRY, "Show a rollout", "showRollout", Rollout, *REGISTRY_READS)
    return {
        "/models/{name}/comparison": ONE_MODEL | {"get": _compare()},
        "/models/{name}/rollouts": ONE_MODEL | {"get": _list(), "post": _start()},
        one: _ONE | {"get": shown},
        f"{one}/pause": _ONE | {"post": _change("Begin no further step", "pauseRollout")},
        f"{one}/resume": _ONE | {"post": _change("Continue a rollout", "resumeRollout")},
        f"{one}/abort": _ONE | {"post": _change("Undo a rollout", "abortRollout")},
    }


def _compare() -> Json:
    told = "Compare the versions of a split alias"
    return operation_answering(
        REGISTRY, told, "compareVersions", ComparisonState, *REGISTRY_READS, "409", "503"
    ) | {"parameters": query_of(ComparisonQuery)}


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
