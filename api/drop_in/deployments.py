"""Upload, deploy, stop and delete, as hand-written services have them."""

from contextlib import suppress
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.callers.seeing import check_seen
from api.drop_in.asking import DEPLOYED
from api.drop_in.resources import read_resources, unknown_resources
from api.http.forms import invalid_field
from api.http.operator_bodies import read_body
from api.http.prefer import MAX_WAIT_SECONDS
from api.http.responses import json_response
from api.models.changing import changing
from api.models.registration_routes import RegisteredVersion, RegistrationViews
from api.models.removal_routes import RemovalViews
from registry.changes import Changes
from registry.deploying.deploying import AS_IT_IS, Deploying
from registry.history import Cause
from registry.names import checked_name, parse_reference
from registry.store import Registry
from telemetry.errors import DeploymentNotFound, Invalid

CAUSE = Cause("a caller with the local key", "by a route of the drop-in")


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was uploaded, and passed its gate."""

    message: str
    model_id: str
    version: int
    status: str


class OldDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /deploy`."""

    model_id: str
    environment: str = DEPLOYED
    """Becomes an alias of the model."""
    resources: dict[str, Any] = {}
    """`cpu_limit`, `memory_limit` and `timeout`, as numbers or as Kubernetes writes them: with one
    of them the environment gets workers of its own. Others are passed over."""
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Version to deploy; by default the latest that is ready."""


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """A model that is deployed, or no longer."""

    message: str
    deployment_id: str
    model_id: str
    version: int | None
    environment: str
    status: str
    passed_over: tuple[str, ...] = ()
    """Fields of `resources` that have no effect."""


class DeletedModel(msgspec.Struct, frozen=True):
    """A model that was removed with all of its versions."""

    message: str
    model_id: str


class DeploymentViews:
    """The views; all of them need the local key."""

    def __init__(
        self,
        registry: Registry,
        registrations: RegistrationViews,
        removals: RemovalViews,
    ) -> None:
        self._registry, self._changes = registry, Changes(registry)
        self._deploying = Deploying(registry)
        self._registrations, self._removals = registrations, removals

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("deployments", __name__)
        routes.post("/upload_model")(self.upload)
        routes.post("/deploy")(self.deploy)
        routes.post("/stop_deployment/<id>")(self.stop)
        routes.delete("/delete_model/<id>")(self.delete)
        return routes

    def upload(self) -> Response:
        """Receive a model, and answer once its gate has decided."""
        with changing():
            accepted = self._registrations.received(None, trusts=True)
        state, _ = self._registrations.waited_in_slot(accepted, MAX_WAIT_SECONDS)
        _raise_refusal(state)
        told = Uploaded(
            message=f"Model {state.model} uploaded",
            model_id=state.model,
            version=state.version,
            status=state.status,
        )
        return json_response(told, 200 if state.status == "ready" else 202)

    def deploy(self) -> Response:
        """Point the alias of an environment to a version; with limits, it has its own workers."""
        with changing():
            change = read_body(request, OldDeployment)
            check_seen(current_caller(request), change.model_id)
            alias = checked_name(change.environment, "alias")
            number = change.version or self._registry.resolve(change.model_id).manifest.version
            scaling = read_resources(change.resources)
            if scaling == AS_IT_IS:
                self._changes.set_alias(change.model_id, alias, number, cause=CAUSE)
            else:
                self._deploying.deploy(change.model_id, alias, scaling, version=number, cause=CAUSE)
        return json_response(
            Deployed(
                message=f"Model {change.model_id} deployed",
                deployment_id=f"{change.model_id}@{alias}",
                model_id=change.model_id,
                version=number,
                environment=alias,
                status="deployed",
                passed_over=unknown_resources(change.resources),
            )
        )

    def stop(self, id: str) -> Response:
        """Delete the alias of a deployment, ``model@environment``; or of ``model``, production."""
        with changing():
            meant = parse_reference(id)
            if meant.version is not None:
                raise invalid_field(
                    "id", f"the id of a deployment has the form model@environment, not {id!r}"
                )
            alias = meant.alias or DEPLOYED
            with suppress(DeploymentNotFound):
                self._deploying.delete(meant.name, alias, CAUSE)
            self._changes.remove_alias(meant.name, alias, cause=CAUSE)
        return json_response(
            Deployed(
                message=f"Deployment {id} stopped",
                deployment_id=f"{meant.name}@{alias}",
                model_id=meant.name,
                version=None,
                environment=alias,
                status="stopped",
            )
        )

    def delete(self, id: str) -> Response:
        """Remove a model with all versions and aliases."""
        with changing():
            removed = self._removals.remove(checked_name(id), None, force=True, cause=CAUSE)
            self._removals.answer(id, removed)
        return json_response(DeletedModel(message=f"Model {id} deleted", model_id=id))


def _raise_refusal(state: RegisteredVersion) -> None:
    if state.status == "refused":
        raise Invalid(f"{state.model}:{state.version} is refused: {state.reason}")
