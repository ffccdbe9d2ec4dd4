"""The routes of deployments."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request, url_for
from msgspec import UNSET, UnsetType

from api.callers.current import current_caller
from api.deployments.observing import DeploymentState, Observing
from api.http.operator_bodies import read_body, read_query
from api.http.responses import json_response
from api.models.changing import ChangeRequest, changing
from registry.deploying.deploying import Deploying, deployment_of
from registry.deployments.deployment import (
    PRODUCTION,
    ComputeLimit,
    Concurrency,
    CpuLimit,
    Deployment,
    MemoryLimit,
    Scaling,
    WantedState,
    WhenStopped,
)
from registry.names import MAX_VERSION, checked_name
from registry.store import Registry


class ScalingRequest(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `PATCH /models/<name>/deployments/<environment>`; fields left out do not
    change.
    """

    concurrency: Concurrency | UnsetType = UNSET
    """Processes that compute."""
    memory_limit: MemoryLimit | UnsetType | None = UNSET
    """Memory in bytes of all pool processes together, beyond the loaded model; null for the
    default."""
    cpu_limit: CpuLimit | UnsetType | None = UNSET
    """Processors to use, without a quota; null for all."""
    timeout: ComputeLimit | UnsetType | None = UNSET
    """Seconds that computing a prediction may take; null for the limits of version and request."""
    when_stopped: WhenStopped | UnsetType = UNSET
    """What to do with requests while the deployment is stopped: answer 503, or let them wait."""

    @property
    def scaling(self) -> Scaling:
        """The fields to change."""
        return Scaling(**{field: getattr(self, field) for field in Scaling.__struct_fields__})


class DeployRequest(ScalingRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /models/<name>/deployments`."""

    environment: str = PRODUCTION
    """The alias that it is for."""
    version: Annotated[int, msgspec.Meta(ge=1, le=MAX_VERSION)] | None = None
    """The alias is pointed to it; by default it stays, and a new alias means the latest version."""


class DeploymentList(msgspec.Struct, frozen=True):
    """Deployments, sorted by model and environment."""

    deployments: list[DeploymentState]


class DeploymentRoutes:
    """The views."""

    def __init__(self, registry: Registry, observing: Observing) -> None:
        self._registry, self._observing = registry, observing
        self._deploying = Deploying(registry)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes, one = Blueprint("deployed", __name__), "/models/<name>/deployments/<environment>"
        routes.get("/deployments")(self.index)
        routes.get("/models/<name>/deployments")(self.of_model)
        routes.post("/models/<name>/deployments")(self.deploy)
        routes.post("/models/<name>/deploy", endpoint="deploy_model")(self.deploy)
        routes.get(one)(self.show)
        routes.patch(one)(self.scale)
        routes.delete(one)(self.delete)
        routes.post(f"{one}/stop")(self.stop)
        routes.post(f"{one}/start")(self.start)
        return routes

    def index(self) -> Response:
        """List the deployments of all models."""
        sees = current_caller(request).sees
        return self._listed([d for d in self._registry.deployments() if sees(d.model)])

    def of_model(self, name: str) -> Response:
        """List the deployments of a model."""
        return self._listed(self._registry.deployments_of(name))

    def deploy(self, name: str) -> Response:
        """Point an alias to a version, and give it a queue and workers of its own."""
        with changing():
            asked = read_body(request, DeployRequest)
            made = self._deploying.deploy(
                name, asked.environment, asked.scaling, version=asked.version, cause=asked.cause
            )
        address = url_for("deployed.show", name=name, environment=made.environment)
        return json_response(self._observing.state(made), 201, {"Location": address})

    def show(self, name: str, environment: str) -> Response:
        """Show a deployment and its state."""
        there = {each.environment: each for each in self._registry.deployments_of(name)}
        found = deployment_of(name, there, environment)
        return json_response(self._observing.state(found))

    def scale(self, name: str, environment: str) -> Response:
        """Change the limits of a deployment."""
        with changing():
            asked = read_body(request, ScalingRequest)
            scaled = self._deploying.scale(name, environment, asked.scaling, asked.cause)
        return json_response(self._observing.state(scaled))

    def stop(self, name: str, environment: str) -> Response:
        """Stop the workers of a deployment. Accepted predictions stay in its queue."""
        return self._switched(name, environment, "stopped")

    def start(self, name: str, environment: str) -> Response:
        """Start the workers of a deployment again."""
        return self._switched(name, environment, "running")

    def delete(self, name: str, environment: str) -> Response:
        """Delete a deployment. Shared workers compute for its alias, and what is left in its
        queue.
        """
        with changing():
            change = read_query(request, ChangeRequest)
            self._deploying.delete(name, checked_name(environment, "environment"), change.cause)
        return Response(status=204)

    def _switched(self, name: str, environment: str, state: WantedState) -> Response:
        with changing():
            change = read_body(request, ChangeRequest)
            switched = self._deploying.set_state(name, environment, state, change.cause)
        return json_response(self._observing.state(switched))

    def _listed(self, deployments: list[Deployment]) -> Response:
        return json_response(DeploymentList([*map(self._observing.state, deployments)]))
