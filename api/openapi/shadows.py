"""The paths of shadows in the OpenAPI document."""

from api.openapi.objects import Json, operation_answering, query_of, request_body
from api.openapi.registry import (
    ONE_MODEL,
    REGISTRY,
    REGISTRY_BODIES,
    REGISTRY_CHANGES,
    REGISTRY_READS,
)
from api.shadows.looking import ShadowState
from api.shadows.shadow_routes import Disagreements, ShadowChange, ShadowEnd, ShadowQuery

SHADOW_TYPES = (ShadowState, ShadowChange, Disagreements)


def shadow_paths() -> Json:
    """The paths of shadows."""
    return {
        "/models/{name}/shadow": ONE_MODEL | {"get": _show(), "put": _start(), "delete": _stop()},
        "/models/{name}/shadow/examples": ONE_MODEL | {"get": _examples()},
    }


def _show() -> Json:
    told = "Show a shadow, and how its answers agree"
    return operation_answering(
        REGISTRY, told, "showShadow", ShadowState, *REGISTRY_READS, "503"
    ) | {"parameters": query_of(ShadowQuery)}


def _start() -> Json:
    told = "Copy a share of an alias's predictions to a version"
    body = request_body(ShadowChange, {"version": 4, "rate": 10})
    refused = (*REGISTRY_CHANGES, *REGISTRY_BODIES)
    return operation_answering(REGISTRY, told, "setShadow", ShadowState, *refused) | {
        "requestBody": body
    }


def _stop() -> Json:
    return operation_answering(
        REGISTRY, "Stop a shadow", "stopShadow", ShadowState, *REGISTRY_CHANGES
    ) | {"parameters": query_of(ShadowEnd)}


def _examples() -> Json:
    told = "Show rows for which a shadow's answers differ"
    return operation_answering(
        REGISTRY, told, "shadowExamples", Disagreements, *REGISTRY_READS, "503"
    ) | {"parameters": query_of(ShadowQuery)}
