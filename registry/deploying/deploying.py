"""Changes of deployments, each durable before it returns."""

import msgspec
from msgspec import UNSET

from registry.deployments.deployment import (
    MAX_DEPLOYMENTS,
    MIN_PROCESS_BYTES,
    Deployment,
    Scaling,
    WantedState,
)
from registry.history import NO_CAUSE, Cause, alias_changes, deployment_change
from registry.names import checked_name
from registry.splits import Meaning
from registry.storage.directory import Directory, Model
from registry.store import Registry
from registry.versions import check_ready, latest_version, listing, version_of
from telemetry.errors import DeploymentNotFound, Detail, Invalid, RegistryConflict

AS_IT_IS = Scaling()


class Deploying:
    """Makes, changes and deletes deployments, under the registry's write lock."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def deploy(
        self,
        name: str,
        environment: str,
        scaling: Scaling = AS_IT_IS,
        *,
        version: int | None = None,
        cause: Cause = NO_CAUSE,
    ) -> Deployment:
        """Point an alias to a version, and give it a deployment that runs, or change that.

        ``version``: by default the one that the alias means, else the latest. Raises
        `VersionNotReady`, `Invalid` for limits that do not fit, and `RegistryConflict` if there are
        `MAX_DEPLOYMENTS`.
        """
        checked_name(environment, "environment")
        with self._registry.writing(name) as (directory, model):
            meaning = _meaning(name, model, environment, version)
            before = model.deployments.get(environment)
            if before is None and len(directory.deployments()) >= MAX_DEPLOYMENTS:
                raise RegistryConflict(f"there are {MAX_DEPLOYMENTS} deployments: delete one first")
            fresh = before or Deployment(model=name, environment=environment)
            after = _scaled(msgspec.structs.replace(fresh, state="running"), scaling)
            # The alias first: without one no request could reach the deployment. After a crash in
            # between the shared workers answer, or the deployment as it was.
            _point(directory, name, model, environment, meaning, cause)
            _put(directory, model, before, after, cause)
        return after

    def scale(
        self, name: str, environment: str, scaling: Scaling, cause: Cause = NO_CAUSE
    ) -> Deployment:
        """Change the limits of a deployment; raises `DeploymentNotFound` and `Invalid`."""
        with self._registry.writing(name) as (directory, model):
            before = deployment_of(name, model.deployments, environment)
            after = _scaled(before, scaling)
            _put(directory, model, before, after, cause)
        return after

    def set_state(
        self,
        name: str,
        environment: str,
        state: WantedState,
        cause: Cause = NO_CAUSE,
    ) -> Deployment:
        """Stop or start a deployment; raises `DeploymentNotFound`."""
        with self._registry.writing(name) as (directory, model):
            before = deployment_of(name, model.deployments, environment)
            after = msgspec.structs.replace(before, state=state)
            _put(directory, model, before, after, cause)
        return after

    def delete(self, name: str, environment: str, cause: Cause = NO_CAUSE) -> Deployment:
        """Delete a deployment; the alias stays. Raises `DeploymentNotFound`."""
        with self._registry.writing(name) as (directory, model):
            before = deployment_of(name, model.deployments, environment)
            directory.undeploy(name, model, [before], cause)
        return before


def deployment_of(name: str, known: dict[str, Deployment], environment: str) -> Deployment:
    """The deployment of an alias; raises `DeploymentNotFound`."""
    found = known.get(environment)
    if found is None:
        there = listing("deployments", sorted(known))
        raise DeploymentNotFound(f"{name}@{environment} has no deployment; {there}")
    return found


def _meaning(name: str, model: Model, environment: str, version: int | None) -> Meaning:
    if version is None and environment in model.aliases:
        return model.aliases[environment]
    number = latest_version(name, model) if version is None else version
    version_of(name, model, number)
    check_ready(name, number, model.readiness(number))
    return number


def _scaled(deployment: Deployment, scaling: Scaling) -> Deployment:
    fields = {f: v for f in Scaling.__struct_fields__ if (v := getattr(scaling, f)) is not UNSET}
    scaled = msgspec.structs.replace(deployment, **fields)
    least = MIN_PROCESS_BYTES * scaled.concurrency
    if scaled.memory_limit and scaled.memory_limit < least:
        message = f"{scaled.concurrency} processes need at least {least} bytes together"
        raise Invalid(message, errors=[Detail(("memory_limit",), message)])
    return scaled


def _point(
    directory: Directory, name: str, model: Model, alias: str, meaning: Meaning, cause: Cause
) -> None:
    aliases = model.aliases | {alias: meaning}
    if aliases != model.aliases:
        directory.write_aliases(name, aliases)
        changes = alias_changes(model.aliases, aliases, cause)
        directory.record(name, model.aliases, changes)
        model.aliases[alias] = meaning


def _put(
    directory: Directory, model: Model, before: Deployment | None, after: Deployment, cause: Cause
) -> None:
    if after != before:
        name = after.model
        directory.write_deployments(name, model.deployments | {after.environment: after})
        directory.record(name, model.aliases, [deployment_change(before, after, cause)])
