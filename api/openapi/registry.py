"""The paths of the registry in the OpenAPI document."""

from api.models.alias_routes import AliasMove, AliasRemoval, Rollback
from api.models.artifact_routes import Sample
from api.models.history_routes import History, HistoryPage
from api.models.load_routes import LoadState
from api.models.model_form import ModelFields
from api.models.pause_routes import Nothing, PauseRequest, PauseState
from api.models.registration_routes import RegisteredVersion
from api.models.removal_routes import Keeping, RemovedVersions, VersionRemoval
from api.models.routes import Model, Models, Version
from api.models.status_routes import ModelsStatus
from api.openapi.objects import (
    Json,
    idempotency_key,
    in_path,
    operation,
    operation_answering,
    prefer,
    problems,
    query_of,
    ref,
    request_body,
    response,
)
from api.operations.cache_routes import CacheChange, CacheState
from registry.changes import AliasState

REGISTRY = "models"
REGISTRY_TYPES = (
    *(Models, Model, Version, Sample, History, AliasMove, AliasState, Rollback),
    *(Keeping, RemovedVersions, PauseRequest, PauseState, LoadState, Nothing),
    *(CacheChange, CacheState, ModelFields, RegisteredVersion, ModelsStatus),
)
REGISTRY_READS = ("404", "422")
REGISTRY_CHANGES = ("403", "404", "409", "422", "431", "503", "507")
REGISTRY_BODIES = ("400", "413", "415")
ONE_MODEL = {"parameters": [in_path("name", "Name of the model")]}
ONE_VERSION = {
    "parameters": [*ONE_MODEL["parameters"], in_path("version", "Number of the version")]
}
ONE_ALIAS = {"parameters": [*ONE_MODEL["parameters"], in_path("alias", "Name of the alias")]}


def registry_paths() -> Json:
    """The paths of models, versions and aliases."""
    version = "/models/{name}/versions/{version}"
    return {
        "/models/status": {
            "get": operation_answering(
                REGISTRY, "Show how each version is served", "modelsStatus", ModelsStatus, "503"
            )
        },
        "/models/{name}/versions": ONE_MODEL | {"post": _register()},
        "/models": {"get": operation_answering(REGISTRY, "List the models", "listModels", Models)},
        "/models/{name}": ONE_MODEL
        | {
            "get": _reading("Show a model and its versions", "showModel", Model),
            "delete": _changing("Remove a model", "removeModel", RemovedVersions)
            | {"parameters": query_of(VersionRemoval)},
        },
        "/models/{name}/history": ONE_MODEL
        | {
            "get": _reading("List the changes of a model", "modelHistory", History)
            | {"parameters": query_of(HistoryPage)}
        },
        "/models/{name}/aliases/{alias}": ONE_ALIAS | _alias(),
        "/models/{name}/cache": ONE_MODEL
        | {
            "put": _with_body("Set the cache of a model", "setCache", CacheState)
            | {"requestBody": request_body(CacheChange, {"cache": True})}
        },
        "/models/{name}/rollback": ONE_MODEL
        | {
            "post": _with_body("Return an alias to its last version", "rollBack", AliasState)
            | {"requestBody": request_body(Rollback, {"alias": "production"}) | _OPTIONAL}
        },
        "/models/{name}/keep-latest": ONE_MODEL
        | {
            "post": _with_body("Remove old versions", "keepLatest", RemovedVersions)
            | {"requestBody": request_body(Keeping, {"count": 3})}
        },
        version: ONE_VERSION | _version(),
        f"{version}/artifact": ONE_VERSION | {"get": _artifact()},
        f"{version}/sample": ONE_VERSION
        | {"get": _reading("Show the golden rows of a version", "showSample", Sample, "403")},
        f"{version}/pause": ONE_VERSION | {"post": _pause()},
        f"{version}/load": ONE_VERSION
        | {"post": _telling("Load a version in all workers", "load")},
        f"{version}/unload": ONE_VERSION
        | {"post": _telling("Unload a version in all workers", "unload")},
        f"{version}/resume": ONE_VERSION | {"post": _pausing("End a pause", "resume")},
    }


_OPTIONAL = {"required": False}
_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The number of the version that the alias must mean, as an entity tag",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
}


def _register() -> Json:
    checked = response(RegisteredVersion, "The gate has decided before the wait was over")
    accepted = response(RegisteredVersion, "The version is checked now")
    refused = problems("400", "403", "409", "413", "415", "422", "503", "507")
    return operation(REGISTRY, "Upload a model", "registerModel") | {
        "parameters": [idempotency_key(), prefer()],
        "requestBody": form_of(ModelFields),
        "responses": {"200": checked, "202": accepted, **refused},
    }


def form_of(kind: type) -> Json:
    """A multipart form of a model: these fields, and its files."""
    return {"required": True, "content": {"multipart/form-data": {"schema": ref(kind)}}}


def with_model_files(components: Json) -> Json:
    """Add the files to the schema of an upload's fields, where msgspec does not know them."""
    fields = components[ModelFields.__name__]
    for name in ("file", "sample"):
        fields["properties"][name] = {"type": "string", "format": "binary"}
    fields.setdefault("required", []).append("file")
    return components


def _reading(summary: str, name: str, kind: type, *more: str) -> Json:
    return operation_answering(REGISTRY, summary, name, kind, *REGISTRY_READS, *more)


def _changing(summary: str, name: str, kind: type) -> Json:
    return operation_answering(REGISTRY, summary, name, kind, *REGISTRY_CHANGES)


def _with_body(summary: str, name: str, kind: type) -> Json:
    return operation_answering(REGISTRY, summary, name, kind, *REGISTRY_CHANGES, *REGISTRY_BODIES)


def _alias() -> Json:
    move = _with_body("Point an alias to a version", "moveAlias", AliasState)
    body = request_body(AliasMove, {"version": 3, "expected": 2, "why": "better on March"})
    remove = _changing("Delete an alias", "removeAlias", AliasState)
    return {
        "put": move | {"requestBody": body, "parameters": [_MATCH]},
        "delete": remove | {"parameters": [*query_of(AliasRemoval), _MATCH]},
    }


def _version() -> Json:
    return {
        "get": _reading("Show a version", "showVersion", Version),
        "delete": _changing("Remove a version", "removeVersion", RemovedVersions)
        | {"parameters": query_of(VersionRemoval)},
    }


def _artifact() -> Json:
    whole = {"description": "The artifact", "content": {"application/octet-stream": {}}}
    part = {"description": "The range that was asked for", "content": whole["content"]}
    refused = problems("403", "404", "410", "412", "416", "422", "503")
    return operation(REGISTRY, "Download an artifact", "downloadArtifact") | {
        "responses": {"200": whole, "206": part, **refused}
    }


def _pause() -> Json:
    body = request_body(PauseRequest, {"reason": "a bad deploy"}) | _OPTIONAL
    return _pausing("Refuse submissions to a version", "pause") | {"requestBody": body}


def _telling(summary: str, name: str) -> Json:
    done = response(LoadState, "All workers have done it")
    waiting = response(LoadState, "Some workers have not done it yet")
    refused = problems("400", "403", "404", "413", "415", "422", "500", "503")
    return operation(REGISTRY, summary, name) | {
        "requestBody": request_body(Nothing, {}) | _OPTIONAL,
        "responses": {"200": done, "202": waiting, **refused},
    }


def _pausing(summary: str, name: str) -> Json:
    done = response(PauseState, "Whether the version is paused now")
    refused = problems("400", "404", "413", "415", "422", "503")
    return operation(REGISTRY, summary, name) | {"responses": {"200": done, **refused}}
