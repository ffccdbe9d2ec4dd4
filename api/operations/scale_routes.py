"""`GET /scale`: how many replicas of its worker a queue needs, for what starts and ends them."""

import msgspec
from flask import Blueprint, Response, request

from api.callers.current import current_caller
from api.http.operator_bodies import read_query
from api.http.responses import json_response
from api.models.known_versions import KnownVersions
from tasks.jobs.messages import BULK
from tasks.messages import PREDICT_QUEUE
from tasks.scaling.demand import demand_of
from tasks.scaling.replicas import Positive, ReplicaBounds, Replicas, Seconds, scale_of
from tasks.settings import Settings
from telemetry.errors import Invalid


class ScaleQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /scale`."""

    queue: str = PREDICT_QUEUE
    min: Replicas = 1
    max: Positive = 10
    each: Positive = 1
    """Processes of one replica."""
    wait: Seconds | msgspec.UnsetType = msgspec.UNSET  # None would take the text "null"
    """Seconds within which waiting rows should be computed; PREDICTQ_SCALE_WAIT by default."""


class ScaleViews:
    """The view."""

    def __init__(self, existing: KnownVersions, settings: Settings) -> None:
        self._existing, self._wait = existing, settings.scale_wait

    def blueprint(self) -> Blueprint:
        """The route."""
        routes = Blueprint("scaling", __name__)
        routes.get("/scale")(self.scale)
        return routes

    def scale(self) -> Response:
        """Say how many replicas a queue needs now, and why."""
        query = read_query(request, ScaleQuery)
        self._check_queue(query.queue)
        bounds = ReplicaBounds(
            min=query.min, max=query.max, each=query.each, wait=query.wait or self._wait
        )
        demand = demand_of(self._existing.snapshot(query.queue))
        return json_response(scale_of(query.queue, demand, bounds))

    def _check_queue(self, queue: str) -> None:
        caller = current_caller(request)
        there = [each for each in self._existing.queues(caller.sees) if each != BULK]
        if queue not in there:
            raise Invalid(
                f"no queue of predictions is {queue[:100]!r}; there are {', '.join(there)}"
            )
