"""The routes of rollouts."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from flask import Blueprint, Response, request

from api.http.operator_bodies import read_body
from api.http.responses import json_response
from api.models.alias_routes import Number, Percent
from api.models.changing import ChangeRequest, changing
from registry.history import Cause
from registry.names import checked_name
from registry.rollouts.rollout import (
    MAX_EVERY,
    MAX_LIMIT,
    MAX_STEP_REQUESTS,
    MAX_STEPS,
    Rollout,
    RolloutPlan,
)
from registry.rollouts.rollouts import Rollouts
from registry.store import Registry
from telemetry.errors import NotFound

Steps = Annotated[tuple[Percent, ...], msgspec.Meta(min_length=1, max_length=MAX_STEPS)]
StepSeconds = Annotated[float, msgspec.Meta(gt=0, le=MAX_EVERY)]
_DEFAULT = {field.name: field.default for field in msgspec.structs.fields(RolloutPlan)}


class RolloutRequest(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /models/<name>/rollouts`."""

    version: Number
    """The version that the alias is to mean in the end."""
    alias: str = _DEFAULT["alias"]
    steps: Steps = _DEFAULT["steps"]
    """Percent of the requests that the version gets, step by step; rising, and the last is 100."""
    every_seconds: StepSeconds = _DEFAULT["every_seconds"]
    """Seconds that each step lasts, at least."""
    requests: Annotated[int, msgspec.Meta(ge=1, le=MAX_STEP_REQUESTS)] = _DEFAULT["requests"]
    """Predictions that the version must have answered at a step before the next one begins."""
    max_failed: Annotated[float, msgspec.Meta(gt=0, le=MAX_LIMIT)] | None = None
    """Percent of the version's predictions that may fail: the next step needs proof that fewer do.
    By default they must not fail more often than those of the version before."""
    again: bool = False
    """Whether to begin even if the version was rolled back under this alias before."""

    @property
    def plan(self) -> RolloutPlan:
        """The plan; raises `Invalid`."""
        return RolloutPlan(**{name: getattr(self, name) for name in RolloutPlan.__struct_fields__})


class RolloutChange(ChangeRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of a request to pause, resume or abort; optional."""


class RolloutList(msgspec.Struct, frozen=True, kw_only=True):
    """The rollouts of a model, newest first."""

    rollouts: list[Rollout]


class RolloutViews:
    """The views."""

    def __init__(self, registry: Registry) -> None:
        self._rollouts = Rollouts(registry)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("rollouts", __name__)
        routes.get("/models/<name>/rollouts")(self.index)
        routes.post("/models/<name>/rollouts")(self.start)
        one = "/models/<name>/rollouts/<id>"
        routes.get(one)(self.show)
        routes.post(f"{one}/pause")(self.pause)
        routes.post(f"{one}/resume")(self.resume)
        routes.post(f"{one}/abort")(self.abort)
        return routes

    def index(self, name: str) -> Response:
        """List the rollouts of a model."""
        return json_response(RolloutList(rollouts=self._rollouts.all(checked_name(name))))

    def show(self, name: str, id: str) -> Response:
        """Show one rollout."""
        return json_response(self._rollouts.find(checked_name(name), _number(name, id)))

    def start(self, name: str) -> Response:
        """Begin a rollout; a bulk worker makes its first step at once."""
        with changing():
            asked = read_body(request, RolloutRequest)
            rollout = self._rollouts.start(name, asked.plan, again=asked.again, cause=asked.cause)
        where = {"Location": f"/models/{name}/rollouts/{rollout.id}"}
        return json_response(rollout, 201, where)

    def pause(self, name: str, id: str) -> Response:
        """Begin no further step until it is resumed."""
        return self._change(self._rollouts.pause, name, id)

    def resume(self, name: str, id: str) -> Response:
        """Continue after a pause."""
        return self._change(self._rollouts.resume, name, id)

    def abort(self, name: str, id: str) -> Response:
        """End it: the alias means what it did before, once this is answered."""
        return self._change(self._rollouts.abort, name, id)

    def _change(self, act: Callable[[str, int, Cause], Rollout], name: str, id: str) -> Response:
        with changing():
            change = read_body(request, RolloutChange)
            return json_response(act(checked_name(name), _number(name, id), change.cause))


def _number(name: str, id: str) -> int:
    if not (id.isascii() and id.isdecimal() and len(id) < 10):
        raise NotFound(f"there is no rollout {id[:20]!r} of the model {name!r}")
    return int(id)
