"""The paths of deployments in the OpenAPI document."""

from api.deployments.observing import DeploymentState
from api.deployments.routes import DeploymentList, DeployRequest, ScalingRequest
from api.models.changing import ChangeRequest
from api.openapi.objects import (
    Json,
    in_path,
    operation,
    operation_answering,
    problems,
    query_of,
    request_body,
)
from api.openapi.registry import ONE_MODEL

DEPLOYMENTS = "deployments"
DEPLOYMENT_TYPES = (
    *(DeploymentState, DeploymentList),
    *(DeployRequest, ScalingRequest, ChangeRequest),
)
_ONE = {
    "parameters": [*ONE_MODEL["parameters"], in_path("environment", "The alias that it is for")]
}
_CHANGES = ("400", "403", "404", "409", "413", "415", "422", "503", "507")
_DELETIONS = ("403", "404", "422", "431", "503", "507")


def deployment_paths() -> Json:
    """The paths of deployments."""
    one = "/models/{name}/deployments/{environment}"
    return {
        "/deployments": {"get": _listing("List all deployments", "listDeployments")},
        "/models/{name}/deployments": ONE_MODEL
        | {
            "get": _listing("List the deployments of a model", "listDeploymentsOf"),
            "post": _deploy("deploy"),
        },
        "/models/{name}/deploy": ONE_MODEL | {"post": _deploy("deployModel")},
        one: _ONE
        | {
            "get": _answering("Show a deployment", "showDeployment", "404", "422", "503"),
            "patch": _answering("Change the limits of a deployment", "scaleDeployment", *_CHANGES)
            | {"requestBody": request_body(ScalingRequest, {"concurrency": 4})},
            "delete": _delete(),
        },
        f"{one}/stop": _ONE | {"post": _switch("Stop a deployment", "stopDeployment")},
        f"{one}/start": _ONE | {"post": _switch("Start a deployment", "startDeployment")},
    }


def _answering(summary: str, name: str, *refusals: str) -> Json:
    return operation_answering(DEPLOYMENTS, summary, name, DeploymentState, *refusals)


def _listing(summary: str, name: str) -> Json:
    refusals = ("404", "422", "503")
    return operation_answering(DEPLOYMENTS, summary, name, DeploymentList, *refusals)


def _deploy(name: str) -> Json:
    body = request_body(DeployRequest, {"version": 3, "concurrency": 2, "why": "isolated"})
    summary = "Give an alias a queue and workers of its own"
    made = operation_answering(DEPLOYMENTS, summary, name, DeploymentState, *_CHANGES, status="201")
    return made | {"requestBody": body | {"required": False}}


def _switch(summary: str, name: str) -> Json:
    body = request_body(ChangeRequest, {"why": "maintenance"}) | {"required": False}
    return _answering(summary, name, *_CHANGES) | {"requestBody": body}


def _delete() -> Json:
    done = {"204": {"description": "It is deleted"}} | problems(*_DELETIONS)
    deletion = operation(DEPLOYMENTS, "Delete a deployment", "deleteDeployment")
    return deletion | {"parameters": query_of(ChangeRequest), "responses": done}
