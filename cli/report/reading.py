"""Reads what a report needs of a running stack: from Redis, and from the registry of its home."""

from contextlib import suppress
from pathlib import Path

import redis

from api.drift.looking import DriftLook
from api.drift.states import DriftState
from cli.failure import Failure
from cli.report.figures import ReportFigures, figures
from registry.store import Registry
from stack.running import running_stack
from tasks.drift.counts import KEPT_HOURS, DriftCounts
from tasks.ledger.ledger import connect
from tasks.timeline.timeline import Timeline
from telemetry.errors import PredictqError

DRIFT_VERSIONS = 20
"""Versions whose drift is looked at, the busiest ones."""


def read_figures(home: Path, since: float, until: float) -> ReportFigures:
    """The figures of the stack that runs on a home; Unix seconds. Raises `Failure`."""
    stack = running_stack(home)
    if stack is None:
        raise Failure(f"no stack runs on {home}; start it with: predictq up")
    client = connect(stack.redis_url)
    try:
        minutes = Timeline(client).minutes(2 * since - until, until)
        if not any(minute.at > since for minute in minutes):
            raise Failure(
                "nothing is recorded of this period yet: a minute is recorded every minute, "
                "from the second minute of a stack on"
            )
        found = figures(minutes, since, until)
        hours = min(max(round((until - since) / 3600), 1), KEPT_HOURS)
        busiest = [each.version for each in found.versions if each.now.rows][:DRIFT_VERSIONS]
        drift = _drift(Registry(home), DriftCounts(client), busiest, hours)
        return figures(minutes, since, until, drift)
    except redis.RedisError as error:
        raise Failure(f"Redis does not answer: {error}") from error


def _drift(
    registry: Registry, counts: DriftCounts, versions: list[str], hours: int
) -> list[DriftState]:
    look, found = DriftLook(registry, counts), []
    for version in versions:
        with suppress(PredictqError, OSError):  # removed, or its baseline cannot be read
            found.append(look.look(registry.resolve(version).manifest, hours))
    return found
